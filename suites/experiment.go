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

// scheduled is the schedule of faults that the run has drawn, if it has.
var scheduled *catalogue.Experiment

// Schedule makes an experiment the one that the schedule's spec plays: which
// faults it has is known only when a seed is.
func Schedule(experiment catalogue.Experiment) { scheduled = &experiment }

// Scheduled is that experiment.
func Scheduled() (catalogue.Experiment, bool) {
	if scheduled == nil {
		return catalogue.Experiment{}, false
	}
	return *scheduled, true
}
