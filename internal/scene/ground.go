package scene

import (
	"context"
	"sync"
	"time"

	"github.com/wayproof/wayproof/chaos/post"
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
	// Post is there once Prepare has returned.
	Post *post.Post

	scene *Scene
	based catalogue.Scenario
}

// Prepare brings the ground up. Leave takes away what it put there.
func Prepare(ctx context.Context, ground Ground) (*Ground, error) {
	owner := ground.Owner
	owner.Guest = guests()
	ground.scene = &Scene{
		cluster: ground.Cluster, owner: owner, gate: ready.NewGate(ground.Cluster, owner), agent: ground.Agent, progress: ground.Progress,
	}
	ground.based = catalogue.Ground()
	if err := ground.scene.ensure(ctx, ground.based.Base); err != nil {
		return nil, err
	}
	ground.Post = post.New(ground.Cluster, owner, ground.Agent)
	if err := ground.Post.Install(ctx, reach()...); err != nil {
		return nil, err
	}
	if err := ground.scene.scale(ctx, ground.based.Replicas); err != nil {
		return nil, err
	}
	return &ground, ground.scene.apply(ctx, ground.based, ground.based.Setup)
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

// Leave scales back and removes what Prepare applied beyond the demo.
func (g *Ground) Leave(ctx context.Context) error { return g.scene.leave(ctx, g.based, nil) }
