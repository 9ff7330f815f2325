package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"
)

// ErrOutside marks a refusal to send load to an address outside the cluster.
var ErrOutside = errors.New("address outside the cluster under test")

// What names mean is not what a load measures. A datagram of DNS that is lost
// costs the resolver five seconds, and connections that are made by the hundred
// per second must not become a load test of the cluster's DNS. So names are
// looked up before the schedule begins; an answer older than lookupTTL is
// renewed while requests go on with it, and believed for lookupGrace at most: a
// name whose address changed, or a DNS that is gone, still shows within a window.
const (
	lookupTTL   = 5 * time.Second
	lookupGrace = 30 * time.Second
	// lookupWait bounds one attempt of those before the schedule begins, and
	// lookupTries their number.
	lookupWait  = 3 * time.Second
	lookupTries = 5
)

// dialTimeout ends an attempt to connect that has outlived its request.
const dialTimeout = 30 * time.Second

// shared is the carrier-grade range of RFC 6598, which clusters use for pods
// although RFC 1918 does not know it.
var shared = netip.MustParsePrefix("100.64.0.0/10") //nolint:gochecknoglobals // a constant but for its type

// guard keeps load inside. Names are checked when the plan is read, addresses
// again at each connect, so that a Service that points outside does not help.
type guard struct {
	allow  []netip.Prefix
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// refused is told of a name inside that led outside: that ends the attack.
	refused func(error)

	merged singleflight.Group // lookups of one name at one time are one

	mu    sync.Mutex
	known map[string]answer
}

// answer is what a name meant, and when it was looked up.
type answer struct {
	addrs []netip.Addr
	at    time.Time
}

// newGuard reads the allow list. An entry that is not private is an error: no
// list makes a public address part of a cluster.
func newGuard(allow []string) (*guard, error) {
	g := &guard{lookup: lookupHost, refused: func(error) {}, known: map[string]answer{}}
	for _, entry := range allow {
		prefix, err := parsePrefix(entry)
		if err != nil {
			return nil, fmt.Errorf("allow list entry %q: %w", entry, err)
		}
		if !internal(prefix.Addr()) || prefix.Bits() < 8 {
			return nil, fmt.Errorf("allow list entry %q is not in a private range", entry)
		}
		g.allow = append(g.allow, prefix)
	}
	return g, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// internal says whether an address can belong to a cluster: loopback, RFC 1918,
// unique local (RFC 4193), or RFC 6598.
func internal(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || shared.Contains(addr)
}

// admitHost judges the host of a URL without looking it up.
func (g *guard) admitHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.admitLiteral(addr.Unmap())
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".svc") || strings.HasSuffix(name, ".svc.cluster.local") {
		return nil
	}
	return fmt.Errorf("%w: host %q is neither loopback nor a service name ending in .svc or .svc.cluster.local", ErrOutside, host)
}

func (g *guard) admitLiteral(addr netip.Addr) error {
	if addr.IsLoopback() {
		return nil
	}
	for _, prefix := range g.allow {
		if prefix.Contains(addr) && internal(addr) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is not loopback and not on the plan's allow list", ErrOutside, addr)
}

// resolve turns a host into addresses, from memory while that is fresh enough.
func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	g.mu.Lock()
	hit, ok := g.known[host]
	g.mu.Unlock()
	age := time.Since(hit.at)
	if ok && age < lookupTTL {
		return hit.addrs, nil
	}
	renewed := g.renew(ctx, host)
	if ok && age < lookupGrace {
		return hit.addrs, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-renewed:
		addrs, _ := result.Val.([]netip.Addr)
		return addrs, result.Err
	}
}

// renew looks a name up, once for all who ask at the same time. It outlives the
// request that happened to be the first.
func (g *guard) renew(ctx context.Context, host string) <-chan singleflight.Result {
	return g.merged.DoChan(host, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
		defer cancel()
		addrs, err := g.lookup(ctx, absolute(host))
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.known[host] = answer{addrs: addrs, at: time.Now()}
		return addrs, nil
	})
}

// learn looks up the names of a plan's targets before its schedule begins. A
// name that cannot be found is left to the requests for it, which fail by that.
func (g *guard) learn(ctx context.Context, targets []target) {
	for _, t := range targets {
		host := t.url.Hostname()
		for range lookupTries {
			if ctx.Err() != nil || g.learnt(ctx, host) {
				break
			}
		}
	}
}

// learnt is false where a name's lookup should be tried again: it went unheard.
func (g *guard) learnt(ctx context.Context, host string) bool {
	attempt, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	_, err := g.resolve(attempt, host)
	if attempt.Err() != nil {
		g.merged.Forget(host)
		return false
	}
	return err == nil || !temporary(err)
}

// temporary says whether a lookup failed for want of an answer, and not because
// of one.
func temporary(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && (dns.IsTimeout || dns.IsTemporary)
}

// absolute makes a complete cluster name final, which saves the resolver its
// walk over the pod's search domains. Shorter names need that walk.
func absolute(host string) string {
	if strings.HasSuffix(host, ".svc.cluster.local") {
		return host + "."
	}
	return host
}

// control is a net.Dialer's last look at an address before it connects.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: cannot read address %q", ErrOutside, address)
	}
	if internal(ap.Addr()) {
		return nil
	}
	err = fmt.Errorf("%w: a target resolves to %s", ErrOutside, address)
	g.refused(err)
	return err
}

// dial connects to the first address of a host that answers.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split address %q: %w", address, err)
	}
	addrs, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Control: g.control, Timeout: dialTimeout}
	failure := error(&net.DNSError{Err: "no address", Name: host, IsNotFound: true})
	for _, addr := range addrs {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(addr.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		failure = err
	}
	return nil, failure
}
