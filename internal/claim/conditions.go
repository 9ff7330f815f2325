package claim

import (
	"fmt"
	"regexp"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// noLocation is the Conditions.Location that demands that there is none.
const noLocation = "-"

// checker evaluates Conditions. A failure is described by what was seen and
// what was wanted, without numbers that change from run to run, so that equal
// deviations read alike.
type checker struct {
	want Conditions
	mask []*regexp.Regexp
	body string // wanted, masked
}

func newChecker(want Conditions) *checker {
	if want.Class == "" {
		want.Class = string(record.ClassOK)
	}
	c := &checker{want: want}
	for _, field := range want.Mask {
		c.mask = append(c.mask, regexp.MustCompile(`("`+regexp.QuoteMeta(field)+`"\s*:\s*)("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)`))
	}
	c.body = c.masked(want.Body)
	return c
}

// masked blanks the values of volatile fields and leaves every other byte.
func (c *checker) masked(body string) string {
	for _, m := range c.mask {
		body = m.ReplaceAllString(body, `${1}"*"`)
	}
	return body
}

// odd says which condition a request fails, or "".
func (c *checker) odd(o *record.Observation) string {
	for _, check := range [...]func(*record.Observation) string{c.oddAnswer, c.oddName, c.oddText, c.oddTime} {
		if reason := check(o); reason != "" {
			return reason
		}
	}
	return ""
}

func (c *checker) oddAnswer(o *record.Observation) string {
	switch {
	case string(o.Class) != c.want.Class:
		return fmt.Sprintf("ended as %s, want %s", o.Class, c.want.Class)
	case o.Replays > 0 && !c.want.AllowReplays:
		return "was silently sent again after its connection broke"
	case c.want.Status != 0 && o.Status != c.want.Status:
		return fmt.Sprintf("status %d, want %d", o.Status, c.want.Status)
	}
	return ""
}

func (c *checker) oddName(o *record.Observation) string {
	w := c.want
	switch {
	case w.Service != "" && o.Service != w.Service:
		return fmt.Sprintf("answered by service %q, want %q", o.Service, w.Service)
	case w.Version != "" && o.Version != w.Version:
		return fmt.Sprintf("answered by version %q, want %q", o.Version, w.Version)
	case w.Server != "" && o.Server != w.Server:
		return fmt.Sprintf("server %q, want %q", o.Server, w.Server)
	case w.NotServer != "" && o.Server == w.NotServer:
		return fmt.Sprintf("server %q, want another", o.Server)
	}
	return ""
}

func (c *checker) oddText(o *record.Observation) string {
	w := c.want
	switch {
	case w.Location == noLocation && o.Location != "":
		return fmt.Sprintf("location %q, want none", o.Location)
	case w.Location != "" && w.Location != noLocation && o.Location != w.Location:
		return fmt.Sprintf("location %q, want %q", o.Location, w.Location)
	case w.Body != "" && c.masked(o.Body) != c.body:
		return fmt.Sprintf("body %q, want %q", shorten(c.masked(o.Body)), shorten(c.body))
	}
	return c.oddHeader(o)
}

func (c *checker) oddHeader(o *record.Observation) string {
	if len(c.want.Header) == 0 && len(c.want.HeaderAbsent) == 0 {
		return "" // the usual case, a million times
	}
	for name, value := range sorted(c.want.Header) {
		if got := o.Header[name]; got != value {
			return fmt.Sprintf("header %s %q, want %q", name, got, value)
		}
	}
	for _, name := range c.want.HeaderAbsent {
		if got, there := o.Header[name]; there {
			return fmt.Sprintf("header %s %q, want none", name, got)
		}
	}
	return ""
}

func (c *checker) oddTime(o *record.Observation) string {
	elapsed := o.Done - o.Sent
	switch {
	case c.want.AtLeastMs > 0 && elapsed < time.Duration(c.want.AtLeastMs)*time.Millisecond:
		return fmt.Sprintf("ended before %d ms", c.want.AtLeastMs)
	case c.want.AtMostMs > 0 && elapsed > time.Duration(c.want.AtMostMs)*time.Millisecond:
		return fmt.Sprintf("ended after %d ms", c.want.AtMostMs)
	}
	return ""
}

// oddPeer says who came to the answering pod instead of whom Via demands, or "".
func (c *checker) oddPeer(s *record.Stage, o *record.Observation) string {
	if c.want.Via == "" {
		return ""
	}
	_, waypoint := s.Peers[peerHost(o.Peer)]
	switch {
	case o.Peer == "":
		return "answered without naming its peer"
	case c.want.Via == ViaWaypoint && !waypoint:
		return "came by no replica of the waypoint"
	case c.want.Via == ViaOther && waypoint:
		return "came by the waypoint"
	}
	return ""
}

// longestQuote is how much of a body a sentence quotes.
const longestQuote = 200

func shorten(text string) string {
	if len(text) <= longestQuote {
		return text
	}
	return text[:longestQuote] + "…"
}

// oddArrival says which condition on the backend an arrival fails, or "".
func (b *Backend) oddArrival(a *record.Arrival) string {
	switch {
	case b.Path != "" && a.Path != b.Path:
		return fmt.Sprintf("arrived with path %q, want %q", a.Path, b.Path)
	case b.Host != "" && a.Host != b.Host:
		return fmt.Sprintf("arrived with host %q, want %q", a.Host, b.Host)
	case b.Version != "" && a.Version != b.Version:
		return fmt.Sprintf("arrived at version %q, want %q", a.Version, b.Version)
	}
	return ""
}

// arrivals is how many arrivals a backend condition asks for.
func (b *Backend) arrivals() int {
	if b.Arrivals == nil {
		return 1
	}
	return *b.Arrivals
}
