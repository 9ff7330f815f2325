package hbone

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

const (
	// maxStreams is what waypoints accept on one connection; peers may allow less.
	maxStreams       = 100
	pingInterval     = 10 * time.Second
	pingTimeout      = 20 * time.Second
	idleTimeout      = 5 * time.Minute
	handshakeTimeout = 10 * time.Second
)

// Dialer opens the TCP connection under a tunnel.
type Dialer func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// Hop is the other end of a pooled connection and who dials it. Connections are
// shared only where all of it is equal: a stream carries the identity of its
// connection.
type Hop struct {
	Addr     netip.AddrPort
	Source   string   // the dialling identity
	Expected []string // identities of which the peer must prove one
}

func (h Hop) key() string {
	return h.Addr.String() + "|" + h.Source + "|" + strings.Join(h.Expected, ",")
}

// Pool holds one pod's connections to its peers. It is safe for concurrent use.
type Pool struct {
	dial      Dialer
	transport *http2.Transport

	mu     sync.Mutex
	lanes  map[string]*lane
	closed bool
}

// NewPool opens nothing yet.
func NewPool(dial Dialer) *Pool {
	return &Pool{dial: dial, lanes: map[string]*lane{}, transport: &http2.Transport{
		DisableCompression: true,
		ReadIdleTimeout:    pingInterval,
		PingTimeout:        pingTimeout,
		IdleConnTimeout:    idleTimeout,
	}}
}

// acquire returns a connection with one stream reserved on it.
func (p *Pool) acquire(ctx context.Context, hop Hop, config *tls.Config) (*http2.ClientConn, error) {
	l, tries, err := p.lane(hop.key())
	if err != nil {
		return nil, err
	}
	failed, err := l.enter(ctx, tries)
	if err != nil {
		return nil, err
	}
	defer l.leave()
	if cc := l.reserve(); cc != nil {
		return cc, nil
	}
	if failed != nil {
		return nil, failed
	}
	cc, err := p.open(ctx, l, hop, config)
	if ctx.Err() == nil { // a caller that gave up says nothing about the peer
		l.tried(err)
	}
	return cc, err
}

func (p *Pool) open(ctx context.Context, l *lane, hop Hop, config *tls.Config) (*http2.ClientConn, error) {
	cc, err := p.connect(ctx, hop, config)
	if err != nil {
		return nil, err
	}
	if !cc.ReserveNewRequest() {
		_ = cc.Close() // of no use
		return nil, fmt.Errorf("peer %s accepts no stream on a new connection", hop.Addr)
	}
	return cc, p.keep(l, cc)
}

// keep stores a new connection, unless the pool was closed meanwhile.
func (p *Pool) keep(l *lane, cc *http2.ClientConn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = cc.Close() // the refusal is what counts
		return net.ErrClosed
	}
	l.add(cc)
	return nil
}

// lane finds or makes a hop's lane and announces a caller to it, so that it is
// not swept away meanwhile. It returns how often the lane has dialed.
func (p *Pool) lane(key string) (l *lane, tries int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, 0, net.ErrClosed
	}
	p.sweep()
	l, ok := p.lanes[key]
	if !ok {
		l = newLane()
		p.lanes[key] = l
	}
	return l, l.announce(), nil
}

// sweep forgets lanes without a living connection that nobody is using, so that
// peers that have gone leave nothing behind.
func (p *Pool) sweep() {
	for key, l := range p.lanes {
		if l.idle() {
			delete(p.lanes, key)
		}
	}
}

func (p *Pool) connect(ctx context.Context, hop Hop, config *tls.Config) (*http2.ClientConn, error) {
	raw, err := p.dial(ctx, hop.Addr)
	if err != nil {
		return nil, err
	}
	secured := tls.Client(raw, config)
	shakeCtx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(shakeCtx); err != nil {
		_ = raw.Close() // the handshake's error is what counts
		return nil, fmt.Errorf("TLS with %s: %w", hop.Addr, err)
	}
	cc, err := p.transport.NewClientConn(secured)
	if err != nil {
		_ = secured.Close()
		return nil, fmt.Errorf("HTTP/2 with %s: %w", hop.Addr, err)
	}
	return cc, nil
}

// Close cuts all connections and their streams.
func (p *Pool) Close() {
	p.mu.Lock()
	lanes := p.lanes
	p.lanes, p.closed = map[string]*lane{}, true
	p.mu.Unlock()
	for _, l := range lanes {
		l.close()
	}
}
