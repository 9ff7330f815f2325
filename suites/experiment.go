package suites

import (
	"context"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// Experiment plays an experiment, and ends as Play does.
func Experiment(ctx context.Context, experiment catalogue.Experiment) error {
	verdicts, err := current.Scene.Experiment(ctx, experiment)
	return tell(verdicts, err)
}
