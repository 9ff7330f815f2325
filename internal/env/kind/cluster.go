package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kind/pkg/cluster"

	"github.com/wayproof/wayproof/internal/engine"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
)

// ensureCluster leaves a cluster of ours whose nodes are ready: the one that
// is there if it can be healed, else a new one.
func (e *Environment) ensureCluster(ctx context.Context, progress mesh.Progress) (*state, error) {
	known, err := readState(e.stateDir(), e.options.Cluster)
	if err != nil {
		return nil, err
	}
	present, err := e.provider.List()
	if err != nil {
		return nil, fmt.Errorf("list kind clusters: %w", err)
	}
	exists := slices.Contains(present, e.options.Cluster)
	switch {
	case !exists:
		return e.create(ctx, progress)
	case known == nil:
		return nil, fmt.Errorf("a kind cluster named %q exists that wayproof did not make: choose another name (CLUSTER=... or --cluster), or remove it with: kind delete cluster --name %s", e.options.Cluster, e.options.Cluster)
	}
	reason, err := e.unfit(ctx, known, progress)
	if err := errors.Join(err, ctx.Err()); err != nil { // an aborted look finds every cluster unfit
		return nil, fmt.Errorf("find out whether cluster %s can be used (it is left as it is): %w", e.options.Cluster, err)
	}
	if reason == nil {
		return known, nil
	}
	progress.Note("cluster %s is replaced: %v", e.options.Cluster, reason)
	if err := e.remove(ctx, known); err != nil {
		return nil, err
	}
	return e.create(ctx, progress)
}

// unfit gives the reason why a cluster of ours cannot be used, having tried to
// heal it. An error beside it means that this cannot be told, which is no reason
// to remove anything.
func (e *Environment) unfit(ctx context.Context, known *state, progress mesh.Progress) (reason, err error) {
	if !known.Created {
		return errors.New("an earlier run was stopped while it made it"), nil
	}
	if known.Node != e.plan.nodeKey {
		return errors.New("it was made of another node image"), nil
	}
	stopped, err := e.stopped(ctx)
	if err != nil {
		return nil, err
	}
	if len(stopped) > 0 {
		done := progress.Step(fmt.Sprintf("start %d stopped nodes", len(stopped)))
		_, err := e.command(ctx, append([]string{"start"}, stopped...)...)
		done(err)
		if err != nil {
			return err, nil
		}
	}
	if err := e.provider.ExportKubeConfig(e.options.Cluster, e.options.Kubeconfig, false); err != nil {
		if _, missing := e.provider.KubeConfig(e.options.Cluster, false); missing != nil {
			return fmt.Errorf("it has no kubeconfig: %w", missing), nil
		}
		return nil, err // the cluster has one; it is the file that cannot be written
	}
	return e.awaitNodes(ctx, progress), nil
}

// healWait is how long nodes that came back may take; making new ones takes
// about as long.
const healWait = 2 * time.Minute

func (e *Environment) awaitNodes(ctx context.Context, progress mesh.Progress) error {
	if _, err := e.nodesReady(ctx); err == nil {
		return nil
	}
	done := progress.Step("wait for the nodes of cluster " + e.options.Cluster)
	err := kube.Await(ctx, kube.Wait{What: "nodes of " + e.options.Cluster, Within: healWait, Every: time.Second},
		func(ctx context.Context) (bool, string, error) {
			state, err := e.nodesReady(ctx)
			return err == nil, state, err
		})
	done(err)
	return err
}

// nodesReady looks once; it names the nodes that are not ready.
func (e *Environment) nodesReady(ctx context.Context) (string, error) {
	connected, err := kube.Connect(ctx, e.options.Kubeconfig, e.Context())
	if err != nil {
		return "", err
	}
	nodes, err := connected.Set().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", fmt.Errorf("list nodes: %w", err)
	}
	var waiting []string
	for _, node := range nodes.Items {
		if !slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		}) {
			waiting = append(waiting, node.Name)
		}
	}
	if len(waiting) > 0 || len(nodes.Items) == 0 {
		return fmt.Sprintf("%d of %d ready", len(nodes.Items)-len(waiting), len(nodes.Items)), fmt.Errorf("nodes %v are not ready", waiting)
	}
	return "", nil
}

// create makes the cluster. It is remembered before its first node exists, so
// that a killed run is told from a stranger's cluster.
func (e *Environment) create(ctx context.Context, progress mesh.Progress) (*state, error) {
	if err := e.loadNode(ctx, progress); err != nil {
		return nil, err
	}
	machine, err := engine.Inspect()
	if err != nil {
		return nil, err
	}
	config, err := clusterConfig(e.options.Config, machine)
	if err != nil {
		return nil, err
	}
	known, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	done := progress.Step(fmt.Sprintf("create kind cluster %s (%d nodes)", e.options.Cluster, len(config.Nodes)))
	err = e.createOrUndo(ctx, known, []cluster.CreateOption{
		cluster.CreateWithV1Alpha4Config(config), cluster.CreateWithNodeImage(e.plan.node),
		cluster.CreateWithKubeconfigPath(e.options.Kubeconfig), cluster.CreateWithWaitForReady(readyWait),
		cluster.CreateWithRetain(e.options.Keep), cluster.CreateWithDisplayUsage(false), cluster.CreateWithDisplaySalutation(false),
	})
	done(err)
	if err != nil {
		return nil, err
	}
	if err := e.awaitNodes(ctx, progress); err != nil {
		return nil, e.abandon(ctx, known, err)
	}
	known.Created = true
	return known, known.write(e.stateDir())
}

// begin remembers a cluster that is about to be made, and what is there before
// it: that stays when the cluster goes. What came with another cluster of ours
// goes with the last of them.
func (e *Environment) begin(ctx context.Context) (*state, error) {
	siblings, err := others(e.stateDir(), e.options.Cluster)
	if err != nil {
		return nil, err
	}
	_, missing := os.Stat(e.options.Kubeconfig)
	known := &state{
		Cluster: e.options.Cluster, Node: e.plan.nodeKey, Source: e.plan.source,
		Network: !e.networkExists(ctx), Kubeconfig: e.options.Kubeconfig, KubeconfigMade: errors.Is(missing, os.ErrNotExist),
	}
	for _, sibling := range siblings {
		known.Network = known.Network || sibling.Network
		known.KubeconfigMade = known.KubeconfigMade || sibling.KubeconfigMade && sibling.Kubeconfig == known.Kubeconfig
	}
	return known, known.write(e.stateDir())
}

// readyWait is how long kind may wait for the control plane.
const readyWait = 3 * time.Minute

// createOrUndo makes the cluster, and removes what it began when it fails or
// the run is aborted. kind's own call takes no context: it is left to fail on
// the containers that are removed under it.
func (e *Environment) createOrUndo(ctx context.Context, known *state, options []cluster.CreateOption) error {
	created := make(chan error, 1)
	go func() { created <- e.provider.Create(e.options.Cluster, options...) }()
	select {
	case err := <-created:
		if err == nil {
			return nil
		}
		if e.options.Keep {
			return fmt.Errorf("create kind cluster %s (its nodes are kept for a look): %w", e.options.Cluster, err)
		}
		return errors.Join(fmt.Errorf("create kind cluster %s: %w", e.options.Cluster, err), e.undo(ctx, known))
	case <-ctx.Done():
		aborted := fmt.Errorf("create kind cluster %s: %w", e.options.Cluster, ctx.Err())
		if e.options.Keep {
			return fmt.Errorf("%w (its nodes are kept for a look; the next up replaces them)", aborted)
		}
		err := e.provider.Delete(e.options.Cluster, known.Kubeconfig)
		<-created //nolint:errcheck // fails on what was removed under it
		return errors.Join(aborted, err, e.undo(ctx, known))
	}
}

// abandon removes a cluster that never had a mesh when the run is aborted: half
// a cluster is of use only to someone who asked for it. What failed by itself
// stays, for the next run to complete.
func (e *Environment) abandon(ctx context.Context, known *state, err error) error {
	if ctx.Err() == nil || e.options.Keep || known.Mesh != "" {
		return err
	}
	return errors.Join(err, e.undo(ctx, known))
}

// undoWait bounds the removal after an abort.
const undoWait = time.Minute

// undo removes the cluster although ctx may have ended.
func (e *Environment) undo(ctx context.Context, known *state) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWait)
	defer cancel()
	return e.remove(ctx, known)
}
