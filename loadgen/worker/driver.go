package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/wire"
)

// grace is how long a worker that was told to abort may take to say its health,
// and how much longer than its plan's bound it may run before it counts as dead.
const grace = 15 * time.Second

// Execer runs a command where the load shall come from, and connects its
// streams. It returns when the command has ended, or soon after ctx has; it must
// not wait for the end of stdin, which stays open for as long as the driver lives.
type Execer interface {
	Exec(ctx context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) error
}

// Driver has a worker carry out plans.
type Driver struct {
	Exec    Execer
	Command []string // what runs the worker: "/agent", "attack"
	// Progress, if set, is told at intervals of Every how far the attack is, from
	// a goroutine of its own.
	Progress func(Progress)
	Every    time.Duration // 1 s where zero
}

// Outcome is what a worker said of an attack as a whole.
type Outcome struct {
	Base   time.Time // the instant of intended offset zero, by the worker's clock
	Health record.Health
}

// Drive runs one plan and returns when the worker has ended. Observations reach
// the sink as they come; when it says false the worker is told to stop, and
// Health.Stopped will be true.
//
// The error is a *DeadError where the worker ended without its health record, a
// *RefusedError where it would not start, or the context's. In the last case the
// outcome is valid if its Base is not zero.
func (d Driver) Drive(ctx context.Context, plan loadgen.Plan, sink loadgen.Sink) (Outcome, error) {
	if err := plan.Validate(); err != nil {
		return Outcome{}, err
	}
	order, err := wire.Order{Plan: plan, Hold: true}.Append(nil)
	if err != nil {
		return Outcome{}, err
	}
	call := newCall(ctx, d, plan)
	defer call.close()
	call.send(order)

	meter := newMeter(plan.Load.Hits)
	defer d.report(meter)()
	defer context.AfterFunc(ctx, call.abandon)()
	listener := &listener{call: call, meter: meter, sink: sink}
	return listener.conclude(ctx, listener.listen())
}

// call is one worker process and the streams to it.
type call struct {
	stdin  *io.PipeWriter
	stdout *io.PipeReader
	stderr *tail
	kill   context.CancelFunc
	ended  chan struct{} // closed when the process is gone
	result error         // of the process; valid once ended is closed
	words  sync.WaitGroup
}

// newCall starts the worker. Its life is bounded by the plan, and outlasts ctx
// by a grace in which it may wind up.
func newCall(ctx context.Context, d Driver, plan loadgen.Plan) *call {
	stdinR, stdinW := io.Pipe()
	stdoutR, stdoutW := io.Pipe()
	limit := max(time.Until(plan.Start), 0) + plan.Calm + plan.Bound() + grace
	running, kill := context.WithTimeout(context.WithoutCancel(ctx), limit)
	c := &call{stdin: stdinW, stdout: stdoutR, stderr: &tail{}, kill: kill, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		c.result = d.Exec.Exec(running, d.Command, stdinR, stdoutW, c.stderr)
		stdinR.Close()
		stdoutW.Close()
	}()
	return c
}

// send gives the worker a line without waiting for it to be read: a worker that
// reads nothing must not hold up its driver.
func (c *call) send(line []byte) {
	c.words.Go(func() {
		// A worker that is gone shows in its other stream, with the reason.
		_, _ = c.stdin.Write(line)
	})
}

// abandon asks the worker to give up, and ends it where it does not.
func (c *call) abandon() {
	c.send([]byte(wire.Abort + "\n"))
	time.AfterFunc(grace, c.kill)
}

// close ends what is left of the call.
func (c *call) close() {
	c.kill()
	c.stdin.Close()
	c.stdout.Close()
	c.words.Wait()
	<-c.ended
}

// listener reads what one worker says.
type listener struct {
	call     *call
	meter    *meter
	sink     loadgen.Sink
	outcome  Outcome
	refused  string
	complete bool // the health record came
	stopped  bool // the sink had enough
}

// listen reads to the end of the stream. A nil error is a proper end.
func (l *listener) listen() error {
	reader := wire.NewReader(l.call.stdout)
	for {
		message, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read from load worker: %w", err)
		}
		l.take(message)
	}
}

func (l *listener) take(m wire.Message) {
	switch {
	case m.Observation != nil:
		l.meter.add(*m.Observation)
		if !l.sink(*m.Observation) && !l.stopped {
			l.stopped = true
			l.call.send([]byte(wire.Stop + "\n"))
		}
	case m.Begin != nil:
		l.outcome.Base = m.Begin.Base
	case m.Health != nil:
		l.outcome.Health, l.complete = *m.Health, true
		l.call.stdin.Close()
	default:
		l.refused = m.Refused
	}
}

// conclude says what the whole of a stream means.
func (l *listener) conclude(ctx context.Context, broken error) (Outcome, error) {
	if broken != nil {
		l.call.kill()
	}
	l.call.stdout.Close()
	<-l.call.ended
	switch {
	case l.refused != "":
		return l.outcome, &RefusedError{Reason: l.refused}
	case ctx.Err() != nil:
		return l.outcome, fmt.Errorf("drive load worker: %w", context.Cause(ctx))
	case !l.complete:
		done := l.meter.now().Done
		return l.outcome, &DeadError{Done: done, Planned: l.meter.planned, Stderr: l.call.stderr.lines(), Err: errors.Join(l.call.result, broken)}
	default:
		return l.outcome, nil
	}
}
