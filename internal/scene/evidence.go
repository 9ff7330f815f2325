package scene

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// evidenceWait bounds the gathering of evidence, which must not hold up a run
// for long where the cluster no longer answers.
const evidenceWait = 30 * time.Second

// adminPort is Envoy's own, on the loopback address of a waypoint's pod.
const adminPort = 15000

// mostEvidence is how much of one log or answer is kept, in bytes.
const mostEvidence = 8 << 20

// evidence is a folder of what a scenario's cluster looked like before it was
// cleared away, for people. No verdict is made from it.
type evidence struct {
	scene   *Scene
	dir     string // below the run's: evidence/task4-split-70-30
	written []string
	failed  []string
}

func (s *Scene) evidenceOf(scenario catalogue.Scenario) *evidence {
	return &evidence{scene: s, dir: path.Join("evidence", strings.ReplaceAll(scenario.ID, "/", "-"))}
}

// exhibit keeps what is applied as the server has it, with its conditions, at the
// end of a window.
func (s *Scene) exhibit(ctx context.Context, scenario catalogue.Scenario, window string) {
	if s.brief || len(s.applied) == 0 {
		return
	}
	e := s.evidenceOf(scenario)
	e.write(window+".yaml", func() ([]byte, error) { return e.objects(ctx) })
	s.evident = append(s.evident, e.written...)
}

// objects are the live states of what the scenario has applied.
func (e *evidence) objects(ctx context.Context) ([]byte, error) {
	var all bytes.Buffer
	for _, manifest := range e.scene.applied {
		object := manifest.Object
		live, err := e.scene.cluster.Read(ctx, object.GroupVersionKind(), kube.Ref{Namespace: object.GetNamespace(), Name: object.GetName()})
		if err != nil {
			fmt.Fprintf(&all, "---\n# %s: %v\n", manifest, err)
			continue
		}
		live.SetManagedFields(nil)
		text, err := yaml.Marshal(live.Object)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", manifest, err)
		}
		fmt.Fprintf(&all, "---\n# from %s\n%s", manifest.File, text)
	}
	return all.Bytes(), nil
}

// investigate keeps what somebody who asks "why red?" would look at: pods,
// events, logs, and the configuration of each waypoint.
func (s *Scene) investigate(ctx context.Context, scenario catalogue.Scenario) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), evidenceWait)
	defer cancel()
	done := s.progress.Step("gather evidence of " + scenario.ID)
	e := s.evidenceOf(scenario)
	for _, namespace := range evidenceNamespaces(scenario) {
		e.namespace(ctx, namespace)
	}
	if slices.ContainsFunc(scenario.Promises, func(p record.Promise) bool { return p.AboutNodeProxy }) {
		e.proxies(ctx)
	}
	if len(e.failed) > 0 {
		e.write("missing.txt", func() ([]byte, error) { return []byte(strings.Join(e.failed, "\n") + "\n"), nil })
	}
	s.evident = append(s.evident, e.written...)
	done(nil)
}

// evidenceNamespaces are where the scenario's waypoints and pods live, where its
// load comes from, and those of the mesh.
func evidenceNamespaces(scenario catalogue.Scenario) []string {
	names := append([]string{"wayproof-load", ambient.NamespaceIstio}, scenario.Waypoints...)
	for _, drive := range scenario.Drives {
		for _, app := range slices.Concat(drive.Collect, drive.Logs) {
			names = append(names, refOf(app).Namespace)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (e *evidence) namespace(ctx context.Context, namespace string) {
	pods, err := e.scene.cluster.PodsBy(ctx, namespace, "")
	if err != nil {
		e.failed = append(e.failed, err.Error())
		return
	}
	e.write(namespace+"-pods.txt", func() ([]byte, error) { return describePods(pods), nil })
	e.write(namespace+"-events.txt", func() ([]byte, error) { return e.events(ctx, namespace) })
	for _, pod := range pods {
		ref := kube.Ref{Namespace: pod.Namespace, Name: pod.Name}
		for _, container := range pod.Spec.Containers {
			e.write(fmt.Sprintf("%s-%s-%s.log", namespace, pod.Name, container.Name), func() ([]byte, error) {
				return e.log(ctx, kube.LogQuery{Pod: ref, Container: container.Name, Since: e.scene.began})
			})
		}
		if pod.Labels["gateway.networking.k8s.io/gateway-name"] != "" {
			e.write(fmt.Sprintf("%s-%s-envoy.json", namespace, pod.Name), func() ([]byte, error) { return e.config(ctx, ref) })
		}
	}
}

// proxies keeps what the node proxies said, wherever they are: a line for each
// connection is much, so only of scenarios that promise something of them.
func (e *evidence) proxies(ctx context.Context) {
	set, err := ambient.FindZtunnel(ctx, e.scene.cluster)
	if err != nil {
		e.failed = append(e.failed, err.Error())
		return
	}
	e.namespace(ctx, set.Namespace)
}

func describePods(pods []corev1.Pod) []byte {
	var text bytes.Buffer
	for _, pod := range pods {
		fmt.Fprintf(&text, "%s  %s  ready %v  %s on %s\n", pod.Name, pod.Status.Phase, kube.Ready(&pod), pod.Status.PodIP, pod.Spec.NodeName)
		for _, status := range pod.Status.ContainerStatuses {
			fmt.Fprintf(&text, "    %s  restarts %d  %s\n", status.Name, status.RestartCount, status.Image)
		}
	}
	return text.Bytes()
}

func (e *evidence) events(ctx context.Context, namespace string) ([]byte, error) {
	var list corev1.EventList
	if err := e.scene.cluster.Objects().List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list events of namespace %s: %w", namespace, err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	var text bytes.Buffer
	for _, event := range list.Items {
		fmt.Fprintf(&text, "%s  %s %s/%s  %s: %s\n", event.LastTimestamp.UTC().Format(time.RFC3339), event.Type,
			event.InvolvedObject.Kind, event.InvolvedObject.Name, event.Reason, event.Message)
	}
	return text.Bytes(), nil
}

func (e *evidence) log(ctx context.Context, query kube.LogQuery) ([]byte, error) {
	stream, err := e.scene.cluster.Logs(ctx, query)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return io.ReadAll(io.LimitReader(stream, mostEvidence))
}

// config is everything that a waypoint's Envoy has been told.
func (e *evidence) config(ctx context.Context, pod kube.Ref) ([]byte, error) {
	forward, err := e.scene.cluster.Forward(ctx, kube.Port{Pod: pod, Number: adminPort})
	if err != nil {
		return nil, err
	}
	defer forward.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+forward.Address+"/config_dump", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask Envoy of pod %s for its configuration: %w", pod, err)
	}
	defer response.Body.Close()
	return io.ReadAll(io.LimitReader(response.Body, mostEvidence))
}

// write keeps one file, or why there is none.
func (e *evidence) write(name string, content func() ([]byte, error)) {
	text, err := content()
	if err == nil && len(text) > 0 {
		folder := filepath.Join(e.scene.writer.Dir(), filepath.FromSlash(e.dir))
		err = errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, name), text, 0o644))
	}
	switch {
	case err != nil:
		e.failed = append(e.failed, fmt.Sprintf("%s: %v", name, err))
	case len(text) > 0:
		e.written = append(e.written, path.Join(e.dir, name))
	}
}

// attach names the evidence in the verdicts that it is about.
func attach(verdicts []record.Verdict, files []string) {
	for i := range verdicts {
		verdicts[i].Evidence = files
	}
}
