package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/wayproof/wayproof/internal/record"
)

// backlog is how many results may wait for the sink. vegeta's own channel has
// no room at all, so a slow sink would hold back workers unseen.
const backlog = 1 << 15

// ErrBound ends an attack that overran Plan.Bound.
var ErrBound = errors.New("attack ran longer than its plan allows")

// Sink takes observations as their requests end, which is not the intended
// order. It is called from one goroutine. Once it says false no further request
// is started; those under way are still delivered.
type Sink func(record.Observation) (more bool)

// Attack carries out a plan and returns when the last request is over. The
// health record is always valid. The error is ErrPlan for a plan that cannot be
// carried out, ErrBound, or the context's cause, whose end cancels what is
// under way; it is nil where the attack ran to its end or the sink stopped it.
func Attack(ctx context.Context, plan Plan, sink Sink) (record.Health, error) {
	if err := plan.Validate(); err != nil {
		return record.Health{Planned: plan.Load.Hits, Error: err.Error()}, err
	}
	gate, err := newGuard(plan.Allow)
	if err != nil {
		return record.Health{Planned: plan.Load.Hits, Error: err.Error()}, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return attack(ctx, plan, gate, sink)
}

func attack(ctx context.Context, plan Plan, gate *guard, sink Sink) (record.Health, error) {
	targets, err := parseTargets(plan.Load)
	if err != nil {
		return record.Health{Planned: plan.Load.Hits, Error: err.Error()}, err
	}
	gate.learn(ctx, targets)
	if plan.Start.IsZero() {
		plan.Start = time.Now()
	}
	clock := newClock(plan.Start)
	ctx, cancel := context.WithDeadlineCause(ctx, clock.base.Add(plan.Bound()), ErrBound)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	gate.refused = end

	stopping, stop := context.WithCancel(ctx)
	defer stop()
	line := newLine(plan, targets, newPacer(plan, clock, stopping.Done()), gate)
	defer line.close()
	before := throttled(os.DirFS("/sys/fs/cgroup"))
	starved := starvation(os.DirFS("/proc"), time.Now)
	t := newTally(plan)
	drive{line: line, tally: t, stop: stop}.run(ctx, sink)
	t.health.Starved = starved()
	return conclude(ctx, t, line, throttled(os.DirFS("/sys/fs/cgroup"))-before)
}

// conclude closes the books of an attack that is over.
func conclude(ctx context.Context, t *tally, line *line, throttled time.Duration) (record.Health, error) {
	sent, capped := line.figures()
	t.health.Sent, t.health.Skipped = sent, line.pacer.dropped()
	if capped {
		t.note("%d requests were under way at once, the generator's cap: the schedule slipped", MaxInFlight)
	}
	if ctx.Err() == nil {
		return t.close(throttled), nil
	}
	cause := context.Cause(ctx)
	t.note("aborted: %v", cause)
	return t.close(throttled), fmt.Errorf("attack of %d requests aborted: %w", t.health.Planned, cause)
}

// drive is one use of a vegeta Attacker, which can be used only once.
type drive struct {
	line  *line
	tally *tally
	stop  context.CancelFunc
}

// run lets vegeta attack and hands every result on as an observation.
func (d drive) run(ctx context.Context, sink Sink) {
	client := &http.Client{
		Transport:     roundTripper(func(r *http.Request) (*http.Response, error) { return d.line.roundTrip(ctx, r) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.MaxWorkers(MaxInFlight), vegeta.MaxBody(MaxKeptBody))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()

	queue := make(chan *vegeta.Result, backlog)
	full := make(chan bool, 1)
	go func() { full <- forward(attacker.Attack(placeholder, d.line.pacer, 0, ""), queue) }()
	for result := range queue {
		d.deliver(result, sink, attacker)
	}
	if <-full {
		d.tally.note("%d results waited for the recorder at once: it was too slow for the load", backlog)
	}
}

// deliver makes an observation of a result and gives it to the sink.
func (d drive) deliver(result *vegeta.Result, sink Sink, attacker *vegeta.Attacker) {
	x, ok := d.line.take(result.Seq)
	if !ok {
		d.tally.note("vegeta's request %d never reached the transport: %s", result.Seq, result.Error)
		return
	}
	o := x.finish(d.line.clock.at(result.Timestamp.Add(result.Latency)), d.line.plan.Load.Timeout)
	if d.line.targets[o.Target].KeepBody {
		o.Body = string(result.Body)
	}
	d.tally.add(o)
	if d.tally.health.Stopped {
		sink(o)
		return
	}
	if !sink(o) {
		d.tally.health.Stopped = true
		d.stop()
		attacker.Stop()
	}
}

// forward moves results on and says whether the queue was ever full.
func forward(results <-chan *vegeta.Result, queue chan<- *vegeta.Result) (full bool) {
	defer close(queue)
	for r := range results {
		full = full || len(queue) == cap(queue)
		queue <- r
	}
	return full
}

// placeholder satisfies vegeta, which asks for a target before the number of
// the hit is known to anyone but itself; the line puts the real one in its place.
func placeholder(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://localhost/"
	return nil
}
