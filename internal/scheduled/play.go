package scheduled

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/internal/kube"
)

func unstructuredOf(content map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: content}
}

// startWait is how long a pod may take until it runs: images are on the nodes or
// are pulled, and the volume is made.
const startWait = 3 * time.Minute

// lookWait bounds the look at the volume.
const lookWait = 3 * time.Minute

// play starts a job, passes on what it says, and gives its exit code and the id
// of the run.
func play(ctx context.Context, options Options, job *batchv1.Job) (exit int, run string, err error) {
	done := options.Progress.Step("play " + job.Name)
	defer func() { done(err) }()
	pod, err := start(ctx, options.Cluster, job)
	if err != nil {
		return 0, "", err
	}
	bounded, cancel := context.WithTimeout(ctx, options.Within) // the log too: a run that hangs says nothing
	defer cancel()
	if err := copyLog(bounded, options.Cluster, kube.LogQuery{Pod: pod, Follow: true}, options.Log); err != nil {
		options.Progress.Note("log of %s: %v", pod, err) // the run goes on without a listener
	}
	exits, err := ended(bounded, options.Cluster, pod, options.Within)
	if err != nil {
		return 0, "", err
	}
	for _, exit := range exits {
		if exit > 2 {
			return exit, "", fmt.Errorf("the run in pod %s could not run: exit code %d", pod, exit)
		}
		run, err := idOf(ctx, options.Cluster, pod)
		return exit, run, err
	}
	return 0, "", fmt.Errorf("pod %s has no containers", pod)
}

// idOf is the id of the run that a pod played, by its own word.
func idOf(ctx context.Context, cluster *kube.Cluster, pod kube.Ref) (string, error) {
	said, err := logOf(ctx, cluster, kube.LogQuery{Pod: pod})
	if err != nil {
		return "", err
	}
	id := idIn(said)
	if id == "" {
		return "", fmt.Errorf("the log of pod %s does not say which run it was", pod)
	}
	return id, nil
}

// idIn finds what a run says of itself when it begins: "[  0:00] run
// r1127-031702-9f3a, seed 17: …". The id becomes part of a path.
func idIn(said string) string {
	found := regexp.MustCompile(`(?m)^(?:\[[ 0-9:]+\])?\s*run (r[0-9a-f-]+), seed [0-9]+: `).FindStringSubmatch(said)
	if found == nil {
		return ""
	}
	return found[1]
}

// look replays the record from the volume and reads the history there.
func look(ctx context.Context, options Options, job *batchv1.Job, result *Result) (err error) {
	done := options.Progress.Step("look at the volume")
	defer func() { done(err) }()
	pod, err := start(ctx, options.Cluster, job)
	if err != nil {
		return err
	}
	exits, err := ended(ctx, options.Cluster, pod, lookWait)
	if err != nil {
		return err
	}
	last := map[string]string{}
	for _, container := range []string{replayContainer, historyContainer} {
		if last[container], err = lastLine(ctx, options.Cluster, kube.LogQuery{Pod: pod, Container: container}); err != nil {
			return err
		}
	}
	result.Replay, result.History = exits[replayContainer], last[historyContainer]
	switch {
	case result.Replay != result.Run:
		return fmt.Errorf("the run ended with %d, and a replay of its record on the volume with %d: %s", result.Run, result.Replay, last[replayContainer])
	case exits[historyContainer] != 0:
		return fmt.Errorf("the history on the volume cannot be shown, or lacks the run: %s", result.History)
	}
	return nil
}

// lastLine is what a container said last: its outcome, or its error.
func lastLine(ctx context.Context, cluster *kube.Cluster, query kube.LogQuery) (string, error) {
	said, err := logOf(ctx, cluster, query)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return lines[len(lines)-1], err
}

// logOf is all that a container has said.
func logOf(ctx context.Context, cluster *kube.Cluster, query kube.LogQuery) (string, error) {
	var said strings.Builder
	err := copyLog(ctx, cluster, query, &said)
	return said.String(), err
}

// start makes a job and waits until its pod has begun.
func start(ctx context.Context, cluster *kube.Cluster, job *batchv1.Job) (kube.Ref, error) {
	if err := clearJobs(ctx, cluster, job); err != nil { // of an earlier call that kept it
		return kube.Ref{}, err
	}
	uid, err := create(ctx, cluster, job)
	if err != nil {
		return kube.Ref{}, err
	}
	var ref kube.Ref
	wait := kube.Wait{What: "a pod of job " + job.Name + " to begin", Within: startWait}
	err = kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		pods, err := cluster.PodsWith(ctx, job.Namespace, map[string]string{batchv1.ControllerUidLabel: uid})
		if err != nil || len(pods) == 0 {
			return false, "no pod yet", err
		}
		ref = kube.Ref{Namespace: pods[0].Namespace, Name: pods[0].Name}
		return pods[0].Status.Phase != corev1.PodPending, state(&pods[0]), nil
	})
	return ref, err
}

// create makes a job and gives its uid: of the same name there may have been
// others, and their pods.
func create(ctx context.Context, cluster *kube.Cluster, job *batchv1.Job) (string, error) {
	manifests, err := kube.Typed("job "+job.Name, job)
	if err != nil {
		return "", err
	}
	if _, err := cluster.Apply(ctx, owner(), manifests); err != nil {
		return "", err
	}
	live, err := cluster.Read(ctx, batchv1.SchemeGroupVersion.WithKind("Job"), kube.Ref{Namespace: job.Namespace, Name: job.Name})
	if err != nil {
		return "", err
	}
	if live == nil {
		return "", fmt.Errorf("job %s/%s is gone as soon as it was made", job.Namespace, job.Name)
	}
	return string(live.GetUID()), nil
}

// state is a pod in a few words, with the reason where it waits for something.
func state(pod *corev1.Pod) string {
	words := []string{string(pod.Status.Phase)}
	for _, status := range pod.Status.ContainerStatuses {
		if waiting := status.State.Waiting; waiting != nil {
			words = append(words, fmt.Sprintf("%s: %s %s", status.Name, waiting.Reason, waiting.Message))
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Status == corev1.ConditionFalse && condition.Type == corev1.PodScheduled {
			words = append(words, condition.Message)
		}
	}
	return strings.Join(words, ", ")
}

// ended waits for every container of a pod and gives their exit codes by name.
func ended(ctx context.Context, cluster *kube.Cluster, pod kube.Ref, within time.Duration) (map[string]int, error) {
	exits := map[string]int{}
	wait := kube.Wait{What: "pod " + pod.String() + " to end", Within: within, Every: time.Second}
	err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		pods, err := cluster.PodsBy(ctx, pod.Namespace, batchv1.JobNameLabel)
		if err != nil {
			return false, "", err
		}
		for i := range pods {
			if pods[i].Name == pod.Name {
				return exitsOf(&pods[i], exits), state(&pods[i]), nil
			}
		}
		return false, "", kube.Fatal(fmt.Errorf("pod %s is gone", pod))
	})
	return exits, err
}

// exitsOf collects exit codes and is true if no container is missing.
func exitsOf(pod *corev1.Pod, exits map[string]int) bool {
	for _, status := range pod.Status.ContainerStatuses {
		if end := status.State.Terminated; end != nil {
			exits[status.Name] = int(end.ExitCode)
		}
	}
	return len(pod.Spec.Containers) > 0 && len(exits) == len(pod.Spec.Containers)
}

// copyLog passes a log on, line by line, without the server's time stamps.
func copyLog(ctx context.Context, cluster *kube.Cluster, query kube.LogQuery, to io.Writer) error {
	stream, err := cluster.Logs(ctx, query)
	if err != nil {
		return err
	}
	defer stream.Close()
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, text, _ := strings.Cut(lines.Text(), " ")
		fmt.Fprintln(to, text)
	}
	return lines.Err()
}
