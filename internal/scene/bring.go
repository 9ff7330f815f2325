package scene

import (
	"context"
	"fmt"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// Bring brings the travel demo to exactly a base, without playing anything on
// it, for specs that look at the mesh by themselves. What an earlier run left
// beyond that base is taken away.
func (s *Scene) Bring(ctx context.Context, base catalogue.Base) error {
	for above := catalogue.Versions; above > base; above-- {
		if err := s.removeLayer(ctx, above); err != nil {
			return fmt.Errorf("take the travel demo back: %w", err)
		}
	}
	return s.ensure(ctx, base)
}
