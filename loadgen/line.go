package loadgen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/wayproof/wayproof/internal/record"
)

// seqHeader is how vegeta tells the transport which hit it carries.
const seqHeader = "X-Vegeta-Seq"

// line is what lies between vegeta and the wire: it takes the place of
// vegeta's transport, makes the request that the plan wants for vegeta's n-th
// hit, and keeps its exchange until vegeta reports the hit's result.
type line struct {
	plan    Plan
	clock   clock
	pacer   *pacer
	targets []target
	clients []*client

	mu     sync.Mutex
	open   map[uint64]*exchange // by vegeta's sequence
	under  int                  // requests under way
	sent   int
	capped bool // MaxInFlight was reached
}

// target is a record.Target, parsed once.
type target struct {
	record.Target
	url    *url.URL
	header http.Header
	host   string
	varies bool // its URL holds the placeholder of a token
}

// at is the target's URL for one place in the plan.
func (t target) at(prefix string, seq int) *url.URL {
	if !t.varies {
		return t.url
	}
	token := record.Token(prefix, seq)
	own := *t.url
	own.Path = strings.ReplaceAll(own.Path, record.TokenPlaceholder, token)
	own.RawPath = strings.ReplaceAll(own.RawPath, record.TokenPlaceholder, token)
	own.RawQuery = strings.ReplaceAll(own.RawQuery, record.TokenPlaceholder, token)
	return &own
}

// roundTripper is an http.RoundTripper as a function.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip is the whole of http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newLine(plan Plan, targets []target, pacer *pacer, g *guard) *line {
	return &line{plan: plan, targets: targets, clock: pacer.clock, pacer: pacer, clients: newClients(plan.Load, g), open: map[uint64]*exchange{}}
}

func parseTargets(load record.Load) ([]target, error) {
	targets := make([]target, 0, len(load.Targets))
	for _, t := range load.Targets {
		u, err := url.Parse(t.URL)
		if err != nil {
			return nil, fmt.Errorf("parse url of target %q: %w", t.Name, err)
		}
		parsed := target{Target: t, url: u, host: u.Host, header: http.Header{}, varies: strings.Contains(t.URL, record.TokenPlaceholder)}
		for name, value := range t.Header {
			parsed.header.Set(name, value)
		}
		if host := parsed.header.Get("Host"); host != "" {
			parsed.host = host
			parsed.header.Del("Host")
		}
		targets = append(targets, parsed)
	}
	return targets, nil
}

// roundTrip carries one hit. ctx is the attack's: when it ends, so do requests
// under way.
func (l *line) roundTrip(ctx context.Context, hit *http.Request) (*http.Response, error) {
	n, err := strconv.ParseUint(hit.Header.Get(seqHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read vegeta's sequence number: %w", err)
	}
	seq := l.pacer.place(n)
	x := l.begin(n, seq)
	ctx, cancel := context.WithTimeout(ctx, l.plan.Load.Timeout)
	transport, release := l.clients[x.seen.Client].acquire()
	over := sync.OnceFunc(func() { cancel(); release(); l.end() })
	class := func(err error) record.Class { return classify(err, ctx.Err()) }

	resp, err := transport.RoundTrip(l.request(httptrace.WithClientTrace(ctx, x.trace()), seq))
	if err != nil {
		x.failed(class(err))
		over()
		return nil, err
	}
	x.answered(resp.StatusCode, resp.Header)
	resp.Body = &body{ReadCloser: resp.Body, x: x, class: class, over: over}
	return resp, nil
}

// begin opens the exchange of a hit. Targets take turns by place in the plan,
// and clients by round of targets, so that every client asks every target.
func (l *line) begin(n uint64, seq int) *exchange {
	t := seq % len(l.targets)
	x := &exchange{clock: l.clock, keep: l.targets[t].Keep, seen: record.Observation{
		Seq:      seq,
		Target:   t,
		Client:   seq / len(l.targets) % len(l.clients),
		Intended: l.plan.Intended(seq),
		Class:    record.ClassOK,
	}}
	l.mu.Lock()
	l.open[n] = x
	l.sent++
	l.under++
	l.capped = l.capped || l.under >= MaxInFlight
	l.mu.Unlock()
	x.seen.Sent = l.clock.now()
	return x
}

func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under--
}

// take removes the exchange of a hit that is over.
func (l *line) take(n uint64) (*exchange, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x, ok := l.open[n]
	delete(l.open, n)
	return x, ok
}

// request is the plan's request for one place, complete with its id.
func (l *line) request(ctx context.Context, seq int) *http.Request {
	t := l.targets[seq%len(l.targets)]
	header := t.header.Clone()
	header.Set(IDHeader, l.plan.Load.IDPrefix+"-"+strconv.Itoa(seq))
	r := &http.Request{
		Method: t.Method, URL: t.at(l.plan.Load.IDPrefix, seq), Host: t.host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if t.Body != "" {
		r.ContentLength = int64(len(t.Body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(t.Body)), nil }
		r.Body = io.NopCloser(strings.NewReader(t.Body))
	}
	return r.WithContext(ctx)
}

func (l *line) close() {
	for _, c := range l.clients {
		c.close()
	}
}

// figures are the line's own part of the health record.
func (l *line) figures() (sent int, capped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, l.capped
}
