package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/wire"
)

// flushEvery is how long an observation may wait in the worker before it is sent.
const flushEvery = 50 * time.Millisecond

// What ends an attack from outside.
var (
	// ErrAborted is the driver's word.
	ErrAborted = errors.New("aborted by the driver")
	// ErrOrphaned is a driver that is gone: its stdin ended though it had promised
	// to hold it, or nobody reads the observations any more.
	ErrOrphaned = errors.New("the driver is gone")
	// ErrRefused is an order that cannot be carried out; the driver was told why.
	ErrRefused = errors.New("order refused")
)

// Serve carries out the one order that it reads, and writes what it observes.
// It returns nil when the attack ran to its end or was stopped, ErrRefused, or
// why it was aborted; the health record has been written in every case but the
// refusal and a broken stream.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	words := bufio.NewReader(in)
	writer := wire.NewWriter(out)
	order, err := wire.ReadOrder(words)
	if err == nil {
		err = order.Validate()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrRefused, err), writer.Refused(err))
	}
	return serve(ctx, order, words, writer)
}

func serve(ctx context.Context, order wire.Order, words *bufio.Reader, writer *wire.Writer) error {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	var enough atomic.Bool
	go listen(words, order.Hold, &enough, abort)
	var waited time.Duration
	if order.Start.IsZero() {
		waited = loadgen.Settle(ctx, order.Calm)
		order.Start, order.Calm = time.Now(), 0
	}
	if err := writer.Begin(wire.Begin{Base: order.Start}); err != nil {
		return err
	}
	go flush(ctx, writer, abort)

	health, err := loadgen.Attack(ctx, order.Plan, func(o record.Observation) bool {
		// A broken stream is remembered by the writer, and found by the next flush.
		return writer.Observation(o) == nil && !enough.Load()
	})
	health.Waited = waited
	return errors.Join(err, writer.Health(health))
}

// listen waits for the driver's words. It outlives the attack where stdin stays
// open, and ends with the process.
func listen(words *bufio.Reader, hold bool, enough *atomic.Bool, abort context.CancelCauseFunc) {
	for {
		word, err := wire.ReadWord(words)
		switch {
		case word == wire.Abort:
			abort(ErrAborted)
			return
		case word == wire.Stop:
			enough.Store(true)
		}
		if err != nil {
			if hold {
				abort(fmt.Errorf("%w: its input ended", ErrOrphaned))
			}
			return
		}
	}
}

// flush sends what is buffered at short intervals, and aborts where nobody
// takes it.
func flush(ctx context.Context, writer *wire.Writer, abort context.CancelCauseFunc) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := writer.Flush(); err != nil {
				abort(fmt.Errorf("%w: %w", ErrOrphaned, err))
				return
			}
		}
	}
}
