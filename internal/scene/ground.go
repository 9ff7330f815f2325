package scene

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/ready"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// Ground is where faults are played without record: the demo, its waypoint with
// two replicas, a split to churn, the watchdog and the hands.
type Ground struct {
	Cluster  *kube.Cluster
	Owner    kube.Owner
	Agent    string
	Progress mesh.Progress
	System   bool // as Scene.System
	// Post is there once Prepare has returned.
	Post *post.Post

	scene *Scene
	based catalogue.Scenario
}

// Prepare brings the ground up. Leave takes away what it put there; where it could
// not be brought up, that is done already, and the ground is only good for Part.
func Prepare(ctx context.Context, ground Ground) (*Ground, error) {
	owner := ground.Owner
	owner.Guest = guests()
	ground.scene = &Scene{
		cluster: ground.Cluster, owner: owner, gate: ready.NewGate(ground.Cluster, owner), agent: ground.Agent, progress: ground.Progress, system: ground.System,
	}
	ground.based = catalogue.Ground()
	if err := ground.prepare(ctx); err != nil {
		return &ground, errors.Join(err, ground.Leave(ctx))
	}
	return &ground, nil
}

func (g *Ground) prepare(ctx context.Context) (err error) {
	if err := g.scene.ensure(ctx, g.based.Base); err != nil {
		return err
	}
	if g.Post, err = g.scene.guard(ctx); err != nil {
		return err
	}
	if err := g.scene.setUp(ctx, g.based); err != nil {
		return err
	}
	return g.scene.pay(ctx)
}

// Located is a fault with its target where it is in this cluster.
func (g *Ground) Located(ctx context.Context, spec chaos.Spec) (chaos.Spec, error) {
	return g.scene.located(ctx, spec)
}

// Walk sends a few requests over the ground until the returned function is called:
// what a fault drops has to be there. What becomes of them is nobody's concern; a
// load that a fault ended is begun again.
func (g *Ground) Walk(ctx context.Context) (stop func()) {
	walking, cancel := context.WithCancel(ctx)
	var walk sync.WaitGroup
	walk.Go(func() {
		for walking.Err() == nil {
			if err := g.scene.walk(walking); err != nil && walking.Err() == nil {
				g.Progress.Note("load on the ground: %v", err)
			}
			if pause(walking, walkAgain) != nil {
				return
			}
		}
	})
	return func() {
		cancel()
		walk.Wait()
	}
}

// walkAgain is the pause before a load that ended is begun again.
const walkAgain = time.Second

func (s *Scene) walk(ctx context.Context) error {
	pod, err := s.loadPod(ctx)
	if err != nil {
		return err
	}
	load := catalogue.Footfall()
	load.IDPrefix = s.owner.Run + "-ground"
	driver := worker.Driver{Exec: inPod{s.cluster, pod}, Command: []string{"/agent", "attack"}}
	_, err = driver.Drive(ctx, loadgen.Plan{Load: load}, func(record.Observation) bool { return ctx.Err() == nil })
	return err
}

// Settled waits until the node proxies are rolled out: what Kubernetes goes on with
// when a rollout has once begun, nobody undoes, and the state before the next fault
// must not be one on the way.
func (g *Ground) Settled(ctx context.Context) error {
	set, err := ambient.FindZtunnel(ctx, g.Cluster)
	if err != nil {
		return err
	}
	return g.Cluster.AwaitDaemonSet(ctx, kube.Ref{Namespace: set.Namespace, Name: set.Name}, settleWait)
}

// Leave removes what Prepare applied beyond the demo.
func (g *Ground) Leave(ctx context.Context) error { return g.scene.leave(ctx, g.based, nil) }

// Part ends the ground's stay in the cluster, as Scene.Part does.
func (g *Ground) Part(ctx context.Context, keep bool) error { return g.scene.Part(ctx, keep) }
