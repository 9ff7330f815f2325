package hbone

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/net/http2"
)

// lane is all connections to one hop. Its turn is held while looking for a free
// connection, so that concurrent dials become one; who waited while it failed
// shares the failure instead of failing again one after the other.
type lane struct {
	turn chan struct{}

	mu      sync.Mutex
	waiting int
	conns   []*http2.ClientConn
	tries   int   // dials so far
	failure error // of the last dial, nil when it succeeded
}

func newLane() *lane { return &lane{turn: make(chan struct{}, 1)} }

// announce must be followed by enter.
func (l *lane) announce() (tries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting++
	return l.tries
}

// enter waits for the turn. Failed is the outcome of a dial that ended since
// the caller was announced.
func (l *lane) enter(ctx context.Context, tries int) (failed, err error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	if err == nil && l.tries != tries {
		failed = l.failure
	}
	return failed, err
}

func (l *lane) leave() { <-l.turn }

func (l *lane) tried(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries++
	l.failure = err
}

// idle tells that the lane can be forgotten.
func (l *lane) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune()
	return len(l.turn) == 0 && l.waiting == 0 && len(l.conns) == 0
}

// reserve takes a stream on a connection that has one left.
func (l *lane) reserve() *http2.ClientConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune()
	for _, cc := range l.conns {
		s := cc.State()
		if s.StreamsActive+s.StreamsReserved+s.StreamsPending < maxStreams && cc.ReserveNewRequest() {
			return cc
		}
	}
	return nil
}

func (l *lane) add(cc *http2.ClientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, cc)
}

// prune drops closed connections. Those told to go away stay while streams run
// on them, so that closing the pool cuts these too.
func (l *lane) prune() {
	l.conns = slices.DeleteFunc(l.conns, func(cc *http2.ClientConn) bool { return cc.State().Closed })
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cc := range l.conns {
		_ = cc.Close() // it is to be gone, however it goes
	}
	l.conns = nil
}
