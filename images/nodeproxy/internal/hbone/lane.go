package hbone

import (
	"slices"

	"golang.org/x/net/http2"
)

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

func (l *lane) living() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune()
	return len(l.conns)
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
