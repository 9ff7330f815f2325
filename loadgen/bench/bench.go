// Package bench compares the load worker, with everything that it observes and
// streams, against the plain vegeta library on the same target: the price of
// observing. It is a measurement, not a verdict about a mesh.
package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/wire"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// Side is one contestant's result.
type Side struct {
	Hits   int     `json:"hits"`
	Failed int     `json:"failed"` // without a complete answer below 400
	Rate   float64 `json:"rate"`   // answers per second, from the first due time to the last answer
}

// Comparison is one paired run.
type Comparison struct {
	Offered float64       `json:"offered"` // requests per second asked of both
	Vegeta  Side          `json:"vegeta"`
	Worker  Side          `json:"worker"`
	Ratio   float64       `json:"ratio"` // worker's rate over vegeta's
	Health  record.Health `json:"health"`
	Bytes   int64         `json:"bytes"` // streamed by the worker
}

// Pair drives a plan with vegeta alone, then with the worker. The plan must have
// one target without a body, which is all that a comparison needs.
func Pair(ctx context.Context, plan loadgen.Plan) (Comparison, error) {
	if err := plan.Validate(); err != nil {
		return Comparison{}, err
	}
	if len(plan.Load.Targets) != 1 || plan.Load.Targets[0].Body != "" {
		return Comparison{}, fmt.Errorf("%w: a comparison takes one target without a body", loadgen.ErrPlan)
	}
	c := Comparison{Offered: plan.Load.Rate, Vegeta: plain(ctx, plan)}
	if err := c.observe(ctx, plan); err != nil {
		return Comparison{}, fmt.Errorf("run the worker: %w", err)
	}
	c.Ratio = c.Worker.Rate / c.Vegeta.Rate
	return c, ctx.Err()
}

// plain is vegeta as anyone would use it.
func plain(ctx context.Context, plan loadgen.Plan) Side {
	target := plan.Load.Targets[0]
	attacker := vegeta.NewAttacker(vegeta.Timeout(plan.Load.Timeout), vegeta.Redirects(vegeta.NoFollow),
		vegeta.KeepAlive(plan.Load.Connections == loadgen.KeepAlive))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: target.Method, URL: target.URL})
	var side Side
	began, ended := time.Now(), time.Now()
	for result := range attacker.Attack(targeter, limited(plan), 0, "") {
		side.Hits++
		if result.Error != "" {
			side.Failed++
		}
		if end := result.End(); end.After(ended) {
			ended = end
		}
	}
	side.Rate = float64(side.Hits-side.Failed) / ended.Sub(began).Seconds()
	return side
}

// limited is vegeta's constant pacer that ends after the plan's hits.
func limited(plan loadgen.Plan) vegeta.Pacer {
	constant := vegeta.ConstantPacer{Freq: 1, Per: plan.Interval()}
	return pacer{ConstantPacer: constant, hits: uint64(plan.Load.Hits)}
}

type pacer struct {
	vegeta.ConstantPacer
	hits uint64
}

// Pace is part of vegeta.Pacer.
func (p pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= p.hits {
		return 0, true
	}
	return p.ConstantPacer.Pace(elapsed, hits)
}

// observe runs the worker as a pod does, from the order to the last line of its
// stream, and reads the stream only afterwards: its driver has a CPU of its own.
func (c *Comparison) observe(ctx context.Context, plan loadgen.Plan) error {
	order, err := wire.Order{Plan: plan}.Append(nil)
	if err != nil {
		return err
	}
	var stream spool
	if err := worker.Serve(ctx, bytes.NewReader(order), &stream); err != nil {
		return err
	}
	c.Bytes = int64(stream.kept.Len())
	return c.count(wire.NewReader(&stream.kept))
}

func (c *Comparison) count(reader *wire.Reader) error {
	var last time.Duration
	for {
		m, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			c.Worker.Rate = float64(c.Worker.Hits-c.Worker.Failed) / last.Seconds()
			return nil
		case err != nil:
			return err
		case m.Health != nil:
			c.Health = *m.Health
		case m.Observation != nil:
			c.Worker.Hits++
			if o := m.Observation; o.Class != record.ClassOK || o.Status >= 400 {
				c.Worker.Failed++
			}
			last = max(last, m.Observation.Done)
		}
	}
}

// spool keeps a stream for later.
type spool struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

// Write never fails.
func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Write(p)
}
