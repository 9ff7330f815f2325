package scheduled

import (
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/wayproof/wayproof/internal/kube"
)

// shipped is what the kustomization holds, with its images set.
type shipped struct {
	all  []kube.Manifest
	cron batchv1.CronJob
	at   int // where the CronJob stands in all
	args []string
}

// agentVariable is the CronJob's variable that names the agent's image.
const agentVariable = "AGENT_IMAGE"

// load builds the kustomization and sets images. The CronJob is suspended: it is
// played now and not by the clock.
func load(options Options) (*shipped, error) {
	manifests, err := build(options.Kustomization)
	if err != nil {
		return nil, err
	}
	s := &shipped{args: options.Args}
	for _, manifest := range manifests {
		if manifest.Object.GetKind() != "CronJob" {
			s.all = append(s.all, manifest)
			continue
		}
		if err := kube.Into(manifest.Object, &s.cron); err != nil {
			return nil, err
		}
		if err := s.setImages(options); err != nil {
			return nil, err
		}
		s.cron.Spec.Suspend = new(!options.Keep)
		typed, err := kube.Typed(manifest.File, &s.cron)
		if err != nil {
			return nil, err
		}
		s.at = len(s.all)
		s.all = append(s.all, typed...)
	}
	if s.cron.Name == "" {
		return nil, fmt.Errorf("%s holds no CronJob", options.Kustomization)
	}
	return s, nil
}

// unsuspend leaves the CronJob to the clock.
func (s *shipped) unsuspend() error {
	s.cron.Spec.Suspend = new(false)
	typed, err := kube.Typed(s.all[s.at].File, &s.cron)
	if err != nil {
		return err
	}
	s.all[s.at] = typed[0]
	return nil
}

// build is what kubectl kustomize prints.
func build(dir string) ([]kube.Manifest, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", dir, err)
	}
	var manifests []kube.Manifest
	for _, resource := range built.Resources() {
		content, err := resource.Map()
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", dir, err)
		}
		manifests = append(manifests, kube.Manifest{File: dir, Object: unstructuredOf(content)})
	}
	return manifests, nil
}

func (s *shipped) setImages(options Options) error {
	if options.Harness == "" || options.Agent == "" {
		return fmt.Errorf("the CronJob needs two images: harness %q, agent %q", options.Harness, options.Agent)
	}
	containers := s.cron.Spec.JobTemplate.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		return errors.New("the CronJob has not exactly one container")
	}
	containers[0].Image = options.Harness
	for i := range containers[0].Env {
		if containers[0].Env[i].Name == agentVariable {
			containers[0].Env[i].Value = options.Agent
			return nil
		}
	}
	return fmt.Errorf("the CronJob has no variable %s", agentVariable)
}

// run is the job that the clock would make, now.
func (s *shipped) run() *batchv1.Job {
	job := s.job("now")
	container := &job.Spec.Template.Spec.Containers[0]
	container.Args = append(container.Args, s.args...)
	return job
}

// Containers of the job that looks at the volume.
const (
	replayContainer  = "replay"
	historyContainer = "history"
)

// look is a job in the same place that reads what a run has left.
func (s *shipped) look(run string) *batchv1.Job {
	job := s.job("look")
	pod := &job.Spec.Template.Spec
	base := pod.Containers[0]
	pod.Containers = nil
	for _, look := range [][]string{
		{replayContainer, "replay", "/data/runs/" + run},
		{historyContainer, "history", "show", "--file=/data/history.ndjson", "--page=/tmp/trend.html", "--run=" + run},
	} {
		one := *base.DeepCopy()
		one.Name, one.Args = look[0], look[1:]
		pod.Containers = append(pod.Containers, one)
	}
	return job
}

func (s *shipped) job(name string) *batchv1.Job {
	template := s.cron.Spec.JobTemplate.DeepCopy()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: s.cron.Name + "-" + name, Namespace: s.cron.Namespace, Labels: template.Labels,
		Annotations: map[string]string{"cronjob.kubernetes.io/instantiate": "manual"},
	}, Spec: template.Spec}
	job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return job
}
