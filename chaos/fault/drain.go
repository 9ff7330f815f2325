package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// drain cordons nodes of a waypoint's pods and evicts that waypoint's pods from
// them, waiting where a budget forbids it: one node, or with nodes=all each in
// turn, as an upgrade of nodes does. Other pods of the nodes stay: they are not
// what is under test.
func drain(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	nodes := nodesOf(pods)
	if spec.Params["nodes"] != "all" {
		nodes = nodes[:1]
	}
	if err := uncordoned(ctx, site, nodes); err != nil {
		return nil, err
	}
	work := &drainage{site: site, target: spec.Target}
	made := &Injection{Target: fmt.Sprintf("nodes %v of %d pods of %s", nodes, len(pods), spec.Target), whole: available(site, spec.Target)}
	for _, node := range nodes {
		cordon, back, err := cordons(node)
		if err != nil {
			return nil, err
		}
		work.nodes = append(work.nodes, drained{node, cordon, back})
		made.Undo = append(made.Undo, back)
	}
	made.inject, made.confirm = work.run, work.evidence
	made.still = glance(work.cordoned)
	if spec.Params["blocked"] == "yes" {
		made.inject, made.confirm = work.attempt, work.blocked
	}
	return made, nil
}

// nodesOf lists the nodes of pods, in the pods' order, each once.
func nodesOf(pods []corev1.Pod) []string {
	var nodes []string
	for _, pod := range pods {
		if !slices.Contains(nodes, pod.Spec.NodeName) {
			nodes = append(nodes, pod.Spec.NodeName)
		}
	}
	return nodes
}

// uncordoned refuses nodes that are cordoned already: the undo would open them.
func uncordoned(ctx context.Context, site Site, nodes []string) error {
	for _, name := range nodes {
		node, err := site.Cluster.Set().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("get node %s: %w", name, err)
		}
		if node.Spec.Unschedulable {
			return fmt.Errorf("node %s is cordoned already", name)
		}
	}
	return nil
}

// cordoned says whether the last node, which is not given back, is closed.
func (d *drainage) cordoned(ctx context.Context) (bool, string, error) {
	name := d.nodes[len(d.nodes)-1].name
	node, err := d.site.Cluster.Set().CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return false, "", fmt.Errorf("get node %s: %w", name, err)
	}
	return node.Spec.Unschedulable, fmt.Sprintf("node %s cordoned %v", name, node.Spec.Unschedulable), nil
}

func cordons(node string) (cordon, back pledge.Step, err error) {
	path := "/api/v1/nodes/" + node
	cordon, err = mergePatch("cordon node "+node, path, map[string]any{"spec": map[string]any{"unschedulable": true}})
	if err != nil {
		return cordon, back, err
	}
	back, err = mergePatch("uncordon node "+node, path, map[string]any{"spec": map[string]any{"unschedulable": nil}})
	return cordon, back, err
}

// drained is one node to drain.
type drained struct {
	name         string
	cordon, back pledge.Step
}

// drainage drains nodes one by one and counts what the Eviction API answered.
type drainage struct {
	site   Site
	target string
	nodes  []drained

	granted, refused int
	blocker          string
	last             corev1.Pod
}

// run drains each node; all but the last are given back before the next, so
// that there is always a node for what leaves.
func (d *drainage) run(ctx context.Context) error {
	for i, node := range d.nodes {
		if err := d.empty(ctx, node); err != nil {
			return err
		}
		if i == len(d.nodes)-1 {
			break
		}
		if err := do(d.site, node.back)(ctx); err != nil {
			return err
		}
	}
	d.site.note(chaos.SeriesGranted, float64(d.granted), "")
	d.site.note(chaos.SeriesRefused, float64(d.refused), "")
	return nil
}

// empty cordons a node and evicts the waypoint's pods from it, the ready ones
// and the ones that are only starting.
func (d *drainage) empty(ctx context.Context, node drained) error {
	if err := do(d.site, node.cordon)(ctx); err != nil {
		return err
	}
	pods, err := d.on(ctx, node.name)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		if err := d.evict(ctx, pod); err != nil {
			return err
		}
		d.last = pod
	}
	return nil
}

// on lists the waypoint's pods on a node that are not on their way out.
func (d *drainage) on(ctx context.Context, node string) ([]corev1.Pod, error) {
	namespace, name := ref(d.target)
	pods, err := d.site.Cluster.PodsBy(ctx, namespace, "gateway.networking.k8s.io/gateway-name="+name)
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool {
		return pod.Spec.NodeName != node || pod.DeletionTimestamp != nil
	}), err
}

// drainWait bounds how long a drain waits for a budget, evictEvery is how often
// it asks: as kubectl drain does, but less patiently.
const (
	drainWait  = 90 * time.Second
	evictEvery = time.Second
)

// evict asks for a pod until it is granted.
func (d *drainage) evict(ctx context.Context, pod corev1.Pod) error {
	wait := kube.Wait{What: "pod " + named(pod) + " to be evicted", Within: drainWait, Every: evictEvery}
	err := kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		done, err := d.ask(ctx, pod)
		return done, "refused by a budget", err
	})
	if err == nil {
		return nil
	}
	if blocker, found := d.findBlocker(ctx, pod); found == nil && blocker != "" {
		return fmt.Errorf("disruption budget %s allows no disruption although every pod is healthy, which blocks a drain for ever: %w", blocker, err)
	}
	return err
}

// ask asks once.
func (d *drainage) ask(ctx context.Context, pod corev1.Pod) (granted bool, err error) {
	err = d.site.Cluster.Evict(ctx, refTo(pod))
	switch {
	case errors.Is(err, kube.ErrBudget):
		d.refused++
		return false, nil
	case err == nil, apierrors.IsNotFound(err):
		d.granted++
		return true, nil
	}
	return false, err
}

func (d *drainage) evidence(ctx context.Context) (string, error) {
	evidence, err := eventually(ctx, "pods to leave", going(d.site, d.last))
	return fmt.Sprintf("%d nodes cordoned, %d evictions granted, %d refused by a budget on the way; %s", len(d.nodes), d.granted, d.refused, evidence), err
}

// blockedTries is how often a drain that is expected to be blocked asks.
const blockedTries = 5

// attempt drains a node that a budget forbids to drain, and finds the budget.
// Should an eviction be granted, the drain was not blocked.
func (d *drainage) attempt(ctx context.Context) error {
	node := d.nodes[0]
	if err := do(d.site, node.cordon)(ctx); err != nil {
		return err
	}
	pods, err := d.on(ctx, node.name)
	if err != nil || len(pods) == 0 {
		return errors.Join(err, fmt.Errorf("%d pods of %s on node %s", len(pods), d.target, node.name))
	}
	ticker := time.NewTicker(evictEvery)
	defer ticker.Stop()
	for range blockedTries {
		if _, err := d.ask(ctx, pods[0]); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	if d.blocker, err = d.findBlocker(ctx, pods[0]); err != nil {
		return err
	}
	d.site.note(chaos.SeriesGranted, float64(d.granted), "")
	d.site.note(chaos.SeriesRefused, float64(d.refused), "")
	found := 0.0
	if d.blocker != "" {
		found = 1
	}
	d.site.note(chaos.SeriesBlocker, found, d.blocker)
	return nil
}

func (d *drainage) blocked(context.Context) (string, error) {
	if d.granted > 0 || d.refused == 0 {
		return "", fmt.Errorf("the drain was not blocked: %d evictions granted, %d refused", d.granted, d.refused)
	}
	return fmt.Sprintf("node %s is cordoned, %d of %d evictions refused; the budget that blocks the drain is %q",
		d.nodes[0].name, d.refused, blockedTries, d.blocker), nil
}

// findBlocker names the budget over a pod that allows no disruption although
// everything it counts is healthy: waiting will not change that. A budget at its
// edge for a while, with a pod missing, is none.
func (d *drainage) findBlocker(ctx context.Context, pod corev1.Pod) (string, error) {
	budgets, err := d.site.Cluster.Set().PolicyV1().PodDisruptionBudgets(pod.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", fmt.Errorf("list disruption budgets of %s: %w", pod.Namespace, err)
	}
	for _, budget := range budgets.Items {
		if blocks(budget, pod) {
			return budget.Namespace + "/" + budget.Name, nil
		}
	}
	return "", nil
}

func blocks(budget policyv1.PodDisruptionBudget, pod corev1.Pod) bool {
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil || !selector.Matches(labels.Set(pod.Labels)) {
		return false
	}
	s := budget.Status
	return s.ObservedGeneration >= budget.Generation && s.ExpectedPods > 0 && s.DisruptionsAllowed == 0 && s.CurrentHealthy >= s.ExpectedPods
}
