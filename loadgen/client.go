package loadgen

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// client is one worker's own set of connections. While its answers come in
// time it uses one connection; a request that is due before the last answer
// opens another, as an open loop must.
type client struct {
	index     int
	keepAlive bool
	most      int // requests per generation of connections, 0 = no end
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	conns     atomic.Int64 // connections opened so far

	mu      sync.Mutex
	current *generation
}

// generation is the connections between two reconnects. net/http cannot be told
// to close a connection after n requests without racing the next request for
// it, so all connections of a client are replaced together, by replacing what
// holds them: no connection carries more than n requests, and one that is never
// overtaken carries exactly n.
type generation struct {
	transport *http.Transport
	issued    int
	under     int // requests under way
}

// conn is a connection with its number within the client, from 1.
type conn struct {
	net.Conn
	id int
}

func newClients(load record.Load, g *guard) []*client {
	clients := make([]*client, load.Clients)
	for i := range clients {
		clients[i] = &client{index: i, keepAlive: load.Connections == KeepAlive, most: load.Reconnect, dial: g.dial}
		clients[i].current = clients[i].generate()
	}
	return clients
}

func (c *client) generate() *generation {
	return &generation{transport: &http.Transport{
		DialContext:         c.connect,
		DisableKeepAlives:   !c.keepAlive,
		DisableCompression:  true, // bodies are compared byte by byte
		MaxIdleConnsPerHost: MaxInFlight,
		IdleConnTimeout:     10 * time.Minute,
	}}
}

func (c *client) connect(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw, id: int(c.conns.Add(1))}, nil
}

// acquire gives the transport for one more request, and what to call when the
// request is over.
func (c *client) acquire() (*http.Transport, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spent(c.current) {
		c.current = c.generate()
	}
	g := c.current
	g.issued++
	g.under++
	return g.transport, func() { c.release(g) }
}

func (c *client) spent(g *generation) bool { return c.most > 0 && g.issued == c.most }

// release closes the connections of a generation whose last request is over.
func (c *client) release(g *generation) {
	c.mu.Lock()
	g.under--
	over := g.under == 0 && c.spent(g)
	c.mu.Unlock()
	if over {
		g.transport.CloseIdleConnections()
	}
}

// close ends the connections that are left.
func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current.transport.CloseIdleConnections()
}
