// Package relay carries bytes between two connections whose directions end
// independently. It does not know what the bytes mean.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
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

// Copy carries both directions until both have ended, passing the end of each
// one on as such, and closes both sides. Sent counts what goes from down to up.
// The error is the first failure; the end of the context counts as one.
func Copy(ctx context.Context, down, up Duplex, meter Meter) error {
	closeBoth := sync.OnceFunc(func() {
		_ = down.Close() // an end that is already gone is as good as closed
		_ = up.Close()
	})
	defer closeBoth()
	stop := context.AfterFunc(ctx, closeBoth)
	defer stop()
	results := make(chan error, 2)
	go func() { results <- oneWay(down, up, meter.Sent) }()
	go func() { results <- oneWay(up, down, meter.Received) }()
	first := <-results
	if first != nil {
		closeBoth()
	}
	second := <-results
	if ctx.Err() != nil {
		return fmt.Errorf("cut off: %w", context.Cause(ctx))
	}
	return errors.Join(first, onlyAfterCleanEnd(first, second))
}

// onlyAfterCleanEnd drops the failure that closing both ends provoked.
func onlyAfterCleanEnd(first, second error) error {
	if first != nil {
		return nil //nolint:nilerr // the caller has it already
	}
	return second
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
			return fmt.Errorf("read: %w", readErr)
		}
	}
}

// endWriting passes an end on. A peer that has gone altogether needs none.
func endWriting(to Duplex) error {
	if err := to.CloseWrite(); err != nil && !isGone(err) {
		return fmt.Errorf("close sending half: %w", err)
	}
	return nil
}
