package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Measured is what one stage of a run measured, for trends over many runs.
type Measured struct {
	Stage    string
	Requests int
	Failed   int // record.Observation.Failed is true of them
	// P99 is the observed quantile of the latency from the intended instant; zero
	// where the generator was late or too few requests were made to speak of one.
	P99 time.Duration
}

// fewestForP99 leaves ten requests above the quantile.
const fewestForP99 = 1000

// Measure reads a run once and gives its whole stages, in their order.
func Measure(ctx context.Context, source record.Source) ([]Measured, error) {
	all, err := measure(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("measure run %s: %w", source.Run().ID, err)
	}
	var measured []Measured
	for _, stage := range source.Run().Stages {
		s := all[stage.Name]
		if s.broken != "" || s.size() == 0 {
			continue
		}
		m := Measured{Stage: stage.Name, Requests: s.size(), Failed: s.failed}
		if s.unpunctual() == "" && s.size() >= fewestForP99 {
			m.P99 = s.point(990)
		}
		measured = append(measured, m)
	}
	return measured, nil
}
