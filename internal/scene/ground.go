package scene

import (
	"context"

	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/ready"
)

// Ground is where faults are played without load and record: the demo, its
// waypoint with two replicas, a split to churn, the watchdog and the hands.
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

// Leave scales back and removes what Prepare applied beyond the demo.
func (g *Ground) Leave(ctx context.Context) error { return g.scene.leave(ctx, g.based, nil) }
