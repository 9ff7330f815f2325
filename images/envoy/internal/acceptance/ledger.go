// Package acceptance keeps account of which configuration Envoy has rejected and not yet accepted in
// a better version. It only listens to the discovery protocol; it neither sends nor judges anything.
package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Rejection is configuration that Envoy refused and that still stands refused.
type Rejection struct {
	// Type is the resource type URL.
	Type string
	// Name is the resource that Envoy's reason names, "" if the reason names none of those sent.
	Name string
	// Reason is Envoy's own text.
	Reason string

	stream int
}

// String says type, resource and reason in one line.
func (r Rejection) String() string {
	short := r.Type[strings.LastIndexByte(r.Type, '.')+1:]
	return strings.TrimSpace(short+" "+r.Name) + ": " + strings.Join(strings.Fields(r.Reason), " ")
}

// Ledger holds the rejections of all discovery streams of one Envoy.
type Ledger struct {
	mu       sync.Mutex
	streams  int
	standing map[string]map[string]Rejection // by type, then by resource name
}

// NewLedger starts with nothing rejected.
func NewLedger() *Ledger {
	return &Ledger{standing: map[string]map[string]Rejection{}}
}

// Standing lists the unresolved rejections, ordered by type and name.
func (l *Ledger) Standing() []Rejection {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Rejection
	for _, byName := range l.standing {
		for _, rejection := range byName {
			all = append(all, rejection)
		}
	}
	slices.SortFunc(all, func(a, b Rejection) int {
		return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name)
	})
	return all
}

// Open begins the account of a new discovery stream. The first response of a type on it repeats all
// that is wanted, so whatever was rejected on earlier streams is settled by the answer to it.
func (l *Ledger) Open() *Stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams++
	return &Stream{ledger: l, id: l.streams, pending: map[string]Response{}}
}

// Response is what the account needs to know of a discovery response.
type Response struct {
	Type  string
	Nonce string
	// Names are the resources added, changed or removed by it.
	Names []string
	// Whole is set when the response replaces all resources of its type (state of the world): its
	// answer then settles everything of that type.
	Whole bool
}

// Answer is what the account needs to know of a discovery request.
type Answer struct {
	Type  string
	Nonce string
	// Reason is set if the request rejects the response with this nonce.
	Rejected bool
	Reason   string
	// Unsubscribed are resources Envoy no longer wants, whose rejection therefore no longer matters.
	Unsubscribed []string
}

// Outcome says what an answer changed.
type Outcome struct {
	// Rejected are the new rejections.
	Rejected []Rejection
	// Settled is set when the answer resolved the last rejection of its type.
	Settled bool
}

// Stream is the account of one discovery stream. Its methods may be called concurrently.
type Stream struct {
	ledger  *Ledger
	id      int
	pending map[string]Response // by type and nonce, until answered
}

// Sent records a response that is about to be sent to Envoy.
func (s *Stream) Sent(response Response) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.pending[response.Type+"\x00"+response.Nonce] = response
}

// Received records a request of Envoy's. Only the first one with the nonce of a response is the answer
// to it; later ones with the same nonce change subscriptions.
func (s *Stream) Received(answer Answer) Outcome {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	standing := s.ledger.standing[answer.Type]
	before := len(standing)
	for _, name := range answer.Unsubscribed {
		delete(standing, name)
	}
	var rejected []Rejection
	key := answer.Type + "\x00" + answer.Nonce
	if response, ok := s.pending[key]; ok && answer.Nonce != "" {
		delete(s.pending, key)
		s.settle(standing, response)
		rejected = s.reject(response, answer)
	}
	after := len(s.ledger.standing[answer.Type])
	return Outcome{Rejected: rejected, Settled: before > 0 && after == 0}
}

// settle forgets what the answered response replaced.
func (s *Stream) settle(standing map[string]Rejection, response Response) {
	for name, rejection := range standing {
		if response.Whole || name == "" || rejection.stream != s.id || slices.Contains(response.Names, name) {
			delete(standing, name)
		}
	}
}

func (s *Stream) reject(response Response, answer Answer) []Rejection {
	if !answer.Rejected {
		return nil
	}
	reason := answer.Reason
	if reason == "" {
		reason = "envoy gave no reason"
	}
	byName := s.ledger.standing[response.Type]
	if byName == nil {
		byName = map[string]Rejection{}
		s.ledger.standing[response.Type] = byName
	}
	var rejected []Rejection
	for _, name := range named(response.Names, reason) {
		rejection := Rejection{Type: response.Type, Name: name, Reason: reason, stream: s.id}
		byName[name] = rejection
		rejected = append(rejected, rejection)
	}
	return rejected
}

// named picks the resources that the reason speaks of. Envoy's list reads "name: reason", and a
// response that is refused as a whole may name none, which is one rejection without a name.
func named(names []string, reason string) []string {
	var found []string
	for _, name := range names {
		if name != "" && mentions(reason, name) {
			found = append(found, name)
		}
	}
	if found == nil {
		return []string{""}
	}
	return found
}

// mentions asks for the name as a whole word, so that "main" is not found in "main_internal".
func mentions(reason, name string) bool {
	for rest := reason; ; {
		at := strings.Index(rest, name)
		if at < 0 {
			return false
		}
		before, after := rest[:at], rest[at+len(name):]
		if !endsInNameByte(before) && !startsWithNameByte(after) {
			return true
		}
		rest = after
	}
}

func endsInNameByte(text string) bool { return text != "" && nameByte(text[len(text)-1]) }

func startsWithNameByte(text string) bool { return text != "" && nameByte(text[0]) }

func nameByte(b byte) bool {
	return b == '_' || b == '-' || b == '.' || b == '|' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// Describe puts rejections into the text of a failed readiness probe.
func Describe(rejections []Rejection) string {
	var text strings.Builder
	fmt.Fprintf(&text, "envoy rejected configuration and has not accepted a later version (%d):\n", len(rejections))
	for _, rejection := range rejections {
		fmt.Fprintf(&text, "%s\n", rejection)
	}
	return text.String()
}
