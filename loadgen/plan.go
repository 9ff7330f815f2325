package loadgen

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/wayproof/wayproof/internal/record"
)

// The bounds of one attack. A plan beyond them is refused: load that could run
// away from the harness is not load for a test.
const (
	MaxRate     = 20_000    // requests per second
	MaxHits     = 2_000_000 // requests
	MaxDuration = 2 * time.Hour
	MaxClients  = 1024
	MaxTimeout  = 5 * time.Minute
	// MaxBarrier is how far ahead Plan.Start may lie.
	MaxBarrier = 10 * time.Minute
	// MaxCalm is the longest that Plan.Calm may be.
	MaxCalm = time.Minute
	// MaxInFlight caps the requests under way at once, about 30 kB each. An
	// open loop has no such cap; where this one is reached the schedule slips,
	// and the health record says so.
	MaxInFlight = 4096
	// MaxKeptBody is how much of a response body an observation keeps, in bytes.
	MaxKeptBody = 64 << 10
)

// IDHeader carries the request id, prefix-seq, by which observations are joined
// to ledgers and spans. Envoy's x-request-id is left alone: Envoy rewrites it
// and draws its sampling decision from it.
const IDHeader = "x-wayproof-id"

// Connections values of record.Load. Fresh sends "Connection: close" with every
// request, as net/http does without keep-alive.
const (
	KeepAlive = "keepalive"
	Fresh     = "fresh"
)

// Pacing values of record.Load. Repay, also meant where it is empty, sends in a
// burst what should have gone before: the load that was missed is offered after
// all. Skip drops and counts it: a system that recovers is not hammered, and
// its recovery can be measured.
const (
	Repay = "repay"
	Skip  = "skip"
)

// Plan is one attack: the recorded load, and what only the generator needs.
type Plan struct {
	Load record.Load `json:"load"`
	// Start is the instant of schedule offset zero, the barrier that workers
	// start at together. Zero means at once.
	Start time.Time `json:"start,omitzero"`
	// Calm is how long, at most, a start at once waits until the machine has a
	// processor to spare; see Settle.
	Calm time.Duration `json:"calmNs,omitempty"`
	// Allow lists addresses and prefixes in private ranges that URLs may name
	// literally, because the run made what listens there: "10.0.4.7", "172.18.0.0/24".
	Allow []string `json:"allow,omitempty"`
}

// Interval is the time between two intended instants, in whole nanoseconds.
func (p Plan) Interval() time.Duration {
	return time.Duration(math.Round(float64(time.Second) / p.Load.Rate))
}

// Intended is when request seq is due, as an offset from the start: the due
// time of vegeta's ConstantPacer, (seq+1) intervals.
func (p Plan) Intended(seq int) time.Duration {
	return time.Duration(seq+1) * p.Interval()
}

// Duration is the time from the start to the last intended instant.
func (p Plan) Duration() time.Duration { return p.Intended(p.Load.Hits - 1) }

// Bound is the longest that an attack may run from its start: the schedule, the
// last request's timeout, and a margin for a generator that had to catch up.
func (p Plan) Bound() time.Duration { return p.Duration() + p.Load.Timeout + 10*time.Second }

// ErrPlan marks every error about a plan that cannot be carried out as written.
var ErrPlan = errors.New("load plan refused")

// Validate says everything that is wrong with the plan, in one error that is ErrPlan.
func (p Plan) Validate() error {
	problems := append(p.loadProblems(), p.targetProblems()...)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrPlan, strings.Join(problems, "; "))
}

func (p Plan) loadProblems() []string {
	l := p.Load
	var out complaints
	out.unless(l.Rate > 0 && l.Rate <= MaxRate, "rate is %v per second, must be above 0 and at most %d", l.Rate, MaxRate)
	out.unless(l.Hits >= 1 && l.Hits <= MaxHits, "hits is %d, must be 1 to %d", l.Hits, MaxHits)
	out.unless(l.Clients >= 1 && l.Clients <= MaxClients, "clients is %d, must be 1 to %d", l.Clients, MaxClients)
	out.unless(l.Timeout > 0 && l.Timeout <= MaxTimeout, "timeout is %v, must be above 0 and at most %v", l.Timeout, MaxTimeout)
	out.unless(l.Connections == KeepAlive || l.Connections == Fresh, "connections is %q, must be %q or %q", l.Connections, KeepAlive, Fresh)
	out.unless(l.Reconnect >= 0, "reconnect is %d, must not be negative", l.Reconnect)
	out.unless(l.Connections != Fresh || l.Reconnect == 0, "reconnect has no meaning with fresh connections")
	out.unless(httpguts.ValidHeaderFieldValue(l.IDPrefix) && l.IDPrefix != "", "id prefix %q is empty or no header value", l.IDPrefix)
	out.unless(time.Until(p.Start) <= MaxBarrier, "start %v is more than %v ahead", p.Start, MaxBarrier)
	out.unless(p.Calm >= 0 && p.Calm <= MaxCalm, "calm is %v, must be 0 to %v", p.Calm, MaxCalm)
	out.unless(p.Calm == 0 || p.Start.IsZero(), "a start at %v cannot wait for a calm machine", p.Start)
	out.unless(l.Pacing == "" || l.Pacing == Repay || l.Pacing == Skip, "pacing is %q, must be %q or %q", l.Pacing, Repay, Skip)
	if len(out) == 0 {
		seconds := float64(l.Hits) / l.Rate
		out.unless(seconds <= MaxDuration.Seconds(), "%d hits at %v per second take %.0f s, more than %v", l.Hits, l.Rate, seconds, MaxDuration)
	}
	return out
}

func (p Plan) targetProblems() []string {
	var out complaints
	out.unless(len(p.Load.Targets) > 0, "no targets")
	gate, err := newGuard(p.Allow)
	if err != nil {
		return append(out, err.Error())
	}
	for i, t := range p.Load.Targets {
		if err := checkTarget(t, gate); err != nil {
			out = append(out, fmt.Sprintf("target %d %q: %v", i, t.Name, err))
		}
	}
	return out
}

func checkTarget(t record.Target, gate *guard) error {
	u, err := url.Parse(t.URL)
	if err != nil {
		return fmt.Errorf("parse url: %w", err)
	}
	if u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("url %q is not absolute http://host/path", t.URL)
	}
	if err := gate.admitHost(u.Hostname()); err != nil {
		return err
	}
	if !httpguts.ValidHeaderFieldName(t.Method) {
		return fmt.Errorf("method %q is no token", t.Method)
	}
	return checkHeader(t.Header)
}

func checkHeader(header map[string]string) error {
	for name, value := range header {
		switch key := http.CanonicalHeaderKey(name); {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return fmt.Errorf("header %q: %q is not valid HTTP", name, value)
		case key == "X-Request-Id":
			return errors.New("header x-request-id must stay unset: Envoy samples traces by it")
		case key == http.CanonicalHeaderKey(IDHeader):
			return fmt.Errorf("header %s is the generator's own", IDHeader)
		}
	}
	return nil
}

// complaints gathers what is wrong with a plan.
type complaints []string

func (c *complaints) unless(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Sprintf(format, args...))
	}
}
