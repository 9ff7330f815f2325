// Package relay carries bytes between two connections whose directions end
// independently. It does not know what the bytes mean.
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Duplex is a connection whose sending half can be closed on its own: a TCP
// connection, or an HTTP/2 stream.
type Duplex interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Meter is told of every piece carried, as it is carried.
type Meter interface {
	Sent(bytes int)
	Received(bytes int)
}

const bufferSize = 32 << 10

// linger is how long a side may go on sending when nobody takes it any more.
// Closing a connection with unread bytes resets it, which would take along what
// is still on its way to that side.
const linger = time.Second

// errRead marks an end that is gone altogether: what comes from the other one
// cannot be delivered either.
var errRead = errors.New("read")

// Copy carries both directions until both have ended, passing the end of each
// one on as such, and closes both sides. A direction that can no longer be
// written ends alone: an application may have answered and closed while its
// client still sends. Sent counts what goes from down to up. The error is the
// first failure; the end of the context counts as one.
func Copy(ctx context.Context, down, up Duplex, meter Meter) error {
	closeBoth := sync.OnceFunc(func() {
		_ = down.Close() // an end that is already gone is as good as closed
		_ = up.Close()
	})
	defer closeBoth()
	stop := context.AfterFunc(ctx, closeBoth)
	defer stop()
	ended := make(chan error, 2)
	var sources sync.WaitGroup
	sources.Go(func() { ended <- oneWay(down, up, meter.Sent); discard(down) })
	sources.Go(func() { ended <- oneWay(up, down, meter.Received); discard(up) })
	first := <-ended
	if errors.Is(first, errRead) {
		defer time.AfterFunc(linger, closeBoth).Stop()
	}
	second := <-ended
	defer time.AfterFunc(linger, closeBoth).Stop()
	sources.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("cut off: %w", context.Cause(ctx))
	}
	return cmp.Or(first, second)
}

func oneWay(from, to Duplex, count func(int)) error {
	buffer := make([]byte, bufferSize)
	for {
		n, readErr := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			count(n)
		}
		if errors.Is(readErr, io.EOF) {
			return endWriting(to)
		}
		if readErr != nil {
			_ = endWriting(to) // the failure to read is what counts
			return fmt.Errorf("%w: %w", errRead, readErr)
		}
	}
}

// discard reads a side to its end, so that it can finish; a side that has ended
// already takes no time.
func discard(from io.Reader) { _, _ = io.Copy(io.Discard, from) }

// endWriting passes an end on. A peer that has gone altogether needs none.
func endWriting(to Duplex) error {
	if err := to.CloseWrite(); err != nil && !isGone(err) {
		return fmt.Errorf("close sending half: %w", err)
	}
	return nil
}
