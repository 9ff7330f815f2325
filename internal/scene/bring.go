package scene

import (
	"context"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// Bring brings the travel demo to a base without playing anything on it, for
// specs that look at the mesh by themselves.
func (s *Scene) Bring(ctx context.Context, base catalogue.Base) error { return s.ensure(ctx, base) }
