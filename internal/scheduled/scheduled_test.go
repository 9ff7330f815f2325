package scheduled

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/kube"
)

// TestWhatIsShippedIsPlayed loads both kustomizations as they are.
func TestWhatIsShippedIsPlayed(t *testing.T) {
	for _, dir := range []string{"../../deploy/base", "../../deploy/kind"} {
		s, err := load(Options{Kustomization: dir, Harness: "h:1", Agent: "a:2", Args: []string{"--labels=quick"}})
		require.NoError(t, err, dir)
		var kinds []string
		for _, m := range s.all {
			kinds = append(kinds, m.Object.GetKind())
		}
		assert.ElementsMatch(t, []string{"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "PersistentVolumeClaim", "CronJob"}, kinds)
		assert.Equal(t, "Namespace", kinds[0], "what the others stand in comes first")
		job := s.run()
		pod := job.Spec.Template.Spec
		assert.Equal(t, "h:1", pod.Containers[0].Image)
		assert.Contains(t, pod.Containers[0].Env, corev1.EnvVar{Name: agentVariable, Value: "a:2"})
		assert.Equal(t, "--labels=quick", pod.Containers[0].Args[len(pod.Containers[0].Args)-1])
		assert.Len(t, s.cron.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Args, len(pod.Containers[0].Args)-1, "the CronJob itself is not changed")
		assert.Equal(t, "wayproof", pod.ServiceAccountName, "with the rights that are shipped")
		assert.True(t, *s.cron.Spec.Suspend)
		_, err = kube.Typed("test", job, s.look("r1127-031702-9f3a"))
		require.NoError(t, err)
	}
}

func TestTheLookReadsTheSameVolume(t *testing.T) {
	s, err := load(Options{Kustomization: "../../deploy/kind", Harness: "h", Agent: "a"})
	require.NoError(t, err)
	look, run := s.look("r1127-031702-9f3a").Spec.Template.Spec, s.run().Spec.Template.Spec
	require.Len(t, look.Containers, 2)
	assert.Equal(t, run.Volumes, look.Volumes)
	assert.Equal(t, run.SecurityContext, look.SecurityContext)
	for _, c := range look.Containers {
		assert.Equal(t, run.Containers[0].VolumeMounts, c.VolumeMounts)
	}
	assert.Equal(t, []string{"replay", "/data/runs/r1127-031702-9f3a"}, look.Containers[0].Args)
	assert.Contains(t, look.Containers[1].Args, "--run=r1127-031702-9f3a", "the line of this run, not of any")
	assert.NotEqual(t, s.run().Name, s.look("r1127-031702-9f3a").Name)
}

// TestWhatIsInstalledForGoodIsToldFromALeftOver, and stays with the clock.
func TestWhatIsInstalledForGoodIsToldFromALeftOver(t *testing.T) {
	for keep, plays := range map[bool]bool{true: true, false: false} {
		s, err := load(Options{Kustomization: "../../deploy/kind", Harness: "h", Agent: "a", Keep: keep})
		require.NoError(t, err)
		require.Equal(t, "CronJob", s.all[s.at].Object.GetKind())
		assert.Equal(t, plays, playsByTheClock(s.all[s.at].Object))
		require.NoError(t, s.unsuspend())
		assert.True(t, playsByTheClock(s.all[s.at].Object))
	}
}

func TestTheRunSaysItsID(t *testing.T) {
	for said, want := range map[string]string{
		"  up\nrun r1127-031702-9f3a, seed 17: 3 scenarios, 9 promises\nmore": "r1127-031702-9f3a",
		"  run r1127-031702-9f3a, seed 17: 3 scenarios":                       "r1127-031702-9f3a",
		"[  0:00] run r1127-035429-221d, seed 294: 2 scenarios, 2 promises":   "r1127-035429-221d",
		"removed old run r1126-031702-9f3a":                                   "",
		"run r../../etc, seed 17: x":                                          "",
		"":                                                                    "",
	} {
		assert.Equal(t, want, idIn(said), said)
	}
}

func TestFoldersThatCannotBePlayed(t *testing.T) {
	dir := t.TempDir()
	_, err := load(Options{Kustomization: dir})
	require.ErrorContains(t, err, dir)
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("kustomization.yaml", "resources: [one.yaml]\n")
	write("one.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
	_, err = load(Options{Kustomization: dir})
	require.ErrorContains(t, err, "holds no CronJob")
	_, err = load(Options{Kustomization: "../../deploy/kind", Harness: "h"})
	require.ErrorContains(t, err, `agent ""`)
	write("one.yaml", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b}]}}}}}\n")
	_, err = load(Options{Kustomization: dir, Harness: "h", Agent: "a"})
	require.ErrorContains(t, err, "no variable AGENT_IMAGE")
}

func TestExitCodesAreThereWhenEveryContainerHasEnded(t *testing.T) {
	end := func(name string, code int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}}
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}}}}
	exits := map[string]int{}
	assert.False(t, exitsOf(pod, exits))
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{end("a", 2)}
	assert.False(t, exitsOf(pod, exits))
	pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, end("b", 0))
	assert.True(t, exitsOf(pod, exits))
	assert.Equal(t, map[string]int{"a": 2, "b": 0}, exits)
	assert.Contains(t, state(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{
		{Name: "a", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}},
	}}}), "ErrImagePull")
}
