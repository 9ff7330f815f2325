package nodeproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/internal/kube"
)

// tolerance is how exactly a deletion can be placed in time: the API server
// gives whole seconds, and clients and servers see an end one beat later.
const tolerance = 2 * time.Second

// itHandsOver is about the end of a proxy while connections run through it.
func itHandsOver(b *bed) {
	Describe("when it is replaced", func() {
		It("keeps running connections for the drain period and fails no new one", func(ctx SpecContext) {
			watch := link.Watch{Address: echoAddress(), Held: 20, Beat: 50 * time.Millisecond, For: 100 * time.Second}
			var group sync.WaitGroup
			var series link.Series
			var held error
			group.Go(func() { held = b.inPod(ctx, caller(inside), watch.Argv(), &series) })
			began := time.Now()
			ends, err := b.replaceAll(ctx)
			group.Wait()
			Expect(errors.Join(held, err)).NotTo(HaveOccurred())
			drain := b.drain(ctx)
			for name, told := range ends {
				Expect(told.Add(drain)).To(BeTemporally("<=", began.Add(watch.For)), "the watch must outlast the drain of the proxy of %s", name)
			}

			first := slices.MinFunc([]time.Time{ends[b.near], ends[b.far]}, time.Time.Compare)
			opened, broken, soonest := lives(series, first)
			AddReportEntry("new connections", fmt.Sprintf("%d, failed %d %v", series.Fresh, len(series.Failures), series.Failures))
			AddReportEntry("held connections", fmt.Sprintf("%d open when the first of the two proxies on the way was told to end, %d cut, the first %v after that",
				opened, broken, soonest.Round(100*time.Millisecond)))
			Expect(opened).To(Equal(watch.Held))
			Expect(series.Fresh).To(BeNumerically(">", 1000))
			Expect(series.Failures).To(BeEmpty())
			Expect(soonest).To(BeNumerically(">=", drain-tolerance))
		}, NodeTimeout(4*within))
	})
}

// lives counts the connections that were open at an instant and those that were
// cut at any time, and says how long after the instant the first one was: an
// hour if none.
func lives(series link.Series, since time.Time) (opened, broken int, soonest time.Duration) {
	soonest = time.Hour
	for _, held := range series.Held {
		if held.Opened.Before(since) && held.Ended.After(since) && held.Echoes > 0 {
			opened++
		}
		if held.Error != "" {
			broken++
			soonest = min(soonest, held.Ended.Sub(since))
		}
	}
	return opened, broken, soonest
}

// drain is what the chart gives running connections: the grace period less what
// the proxy keeps for itself.
func (b *bed) drain(ctx context.Context) time.Duration {
	set, err := b.proxies(ctx)
	Expect(err).NotTo(HaveOccurred())
	grace := time.Duration(*set.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	return grace - 5*time.Second
}

func (b *bed) proxies(ctx context.Context) (*appsv1.DaemonSet, error) {
	set := &appsv1.DaemonSet{}
	err := b.Cluster.Objects().Get(ctx, kube.Ref{Namespace: b.namespace, Name: "ztunnel"}, set)
	if err != nil {
		return nil, fmt.Errorf("look at the node proxies: %w", err)
	}
	return set, nil
}

// replaceAll restarts the proxies as kubectl does, and says when the old one of
// each node was told to end.
func (b *bed) replaceAll(ctx context.Context) (map[string]time.Time, error) {
	set, err := b.proxies(ctx)
	if err != nil {
		return nil, err
	}
	old, err := b.Cluster.PodsBy(ctx, b.namespace, "app=ztunnel")
	if err != nil {
		return nil, err
	}
	follow, err := b.Cluster.Set().CoreV1().Pods(b.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "app=ztunnel"})
	if err != nil {
		return nil, fmt.Errorf("watch the node proxies: %w", err)
	}
	defer follow.Stop()
	body := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339))
	if err := b.Cluster.Objects().Patch(ctx, set, client.RawPatch(types.StrategicMergePatchType, []byte(body))); err != nil {
		return nil, fmt.Errorf("restart the node proxies: %w", err)
	}
	return deletions(ctx, follow.ResultChan(), old)
}

// deletions waits until every one of the pods has been told to end. The time
// in the API is when its grace is over.
func deletions(ctx context.Context, events <-chan watch.Event, pods []corev1.Pod) (map[string]time.Time, error) {
	waiting := map[string]bool{}
	for _, pod := range pods {
		waiting[pod.Name] = true
	}
	ends := map[string]time.Time{}
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the node proxies %v to be replaced: %w", names(waiting), ctx.Err())
		case event, open := <-events:
			if !open {
				return nil, fmt.Errorf("wait for the node proxies %v to be replaced: the watch ended", names(waiting))
			}
			pod, ok := event.Object.(*corev1.Pod)
			if ok && waiting[pod.Name] && pod.DeletionTimestamp != nil {
				delete(waiting, pod.Name)
				ends[pod.Spec.NodeName] = pod.DeletionTimestamp.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
			}
		}
	}
	return ends, nil
}

func names(set map[string]bool) string {
	var all []string
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
