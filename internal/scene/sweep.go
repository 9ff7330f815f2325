package scene

import (
	"context"
	"fmt"

	"github.com/wayproof/wayproof/chaos/post"
)

// sweep removes what the run made, after the faults that it has written down: with
// them would go what undoes them. While another run's fault is open it refuses.
func (s *Scene) sweep(ctx context.Context) error {
	healed, err := post.New(s.cluster, s.owner, s.agent).HealOwn(ctx)
	for _, line := range healed {
		s.event("healed before the sweep", "", line)
		s.progress.Note("%s", line)
	}
	if err != nil {
		return fmt.Errorf("a fault is open: %w", err)
	}
	return s.cluster.Sweep(ctx, s.owner.Run)
}
