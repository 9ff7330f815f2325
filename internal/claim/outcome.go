package claim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

func held(v *record.Verdict, format string, a ...any) {
	v.Verdict, v.Detail = record.Held, fmt.Sprintf(format, a...)
}

// violated blames the mesh: the harness and the generator have been checked
// before a claim speaks.
func violated(v *record.Verdict, format string, a ...any) {
	v.Verdict, v.Blame, v.Detail = record.Violated, record.Mesh, fmt.Sprintf(format, a...)
}

func inconclusive(v *record.Verdict, blame record.Blame, reason string) {
	v.Verdict, v.Blame, v.Reason = record.Inconclusive, blame, reason
	v.Detail = "no verdict: " + reason
}

func figure(v *record.Verdict, name string, value any) {
	v.Figures = append(v.Figures, record.Figure{Name: name, Value: fmt.Sprint(value)})
}

// tooFew makes the verdict inconclusive if fewer units were judged than the
// promise needs.
func tooFew(v *record.Verdict, p record.Promise) bool {
	if v.N >= max(1, p.N) {
		return false
	}
	inconclusive(v, record.Harness, fmt.Sprintf("%d of at least %d %ss were seen", v.N, max(1, p.N), unit(p)))
	return true
}

func unit(p record.Promise) string {
	if p.Unit == "" {
		return UnitRequest
	}
	return p.Unit
}

// paramsOf decodes a promise's parameters and refuses fields that the claim
// does not know: a misspelt condition would be a condition that never fails.
func paramsOf[T any](p record.Promise) (T, error) {
	var params T
	d := json.NewDecoder(bytes.NewReader(p.Params))
	d.DisallowUnknownFields()
	if err := d.Decode(&params); err != nil {
		return params, fmt.Errorf("read parameters of %s: %w", p.Kind, err)
	}
	return params, nil
}

// Params encodes a claim's parameters for record.Promise.Params. The parameter
// structs of this package always encode.
func Params[T any](params T) json.RawMessage {
	text, err := json.Marshal(params)
	if err != nil {
		panic(fmt.Sprintf("parameters %T cannot be written as JSON: %v", params, err))
	}
	return text
}

// percent renders a part in percent with one digit after the point.
func percent(part, whole int) string {
	if whole == 0 {
		return "no data"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}

func ratio(part, whole int) string {
	return fmt.Sprintf("%s (%d/%d)", percent(part, whole), part, whole)
}

func probability(p float64) string { return strconv.FormatFloat(p, 'g', 2, 64) }

func requestID(s *record.Stage, seq int) string {
	return fmt.Sprintf("%s-%d", s.Load.IDPrefix, seq)
}

// bare names a request of which only the number is known.
func bare(s *record.Stage, seq int) string {
	return fmt.Sprintf("#%d (id %s)", seq, requestID(s, seq))
}

// trail names a request and the way it took: who sent it, which peer the
// answering pod saw, who answered.
func trail(s *record.Stage, o *record.Observation) string {
	parts := []string{fmt.Sprintf("client %d", o.Client)}
	if o.Peer != "" {
		parts = append(parts, peerName(s, o.Peer))
	}
	switch {
	case o.Pod != "":
		parts = append(parts, o.Pod)
	case o.Service != "":
		parts = append(parts, o.Service)
	case o.Class != record.ClassOK:
		parts = append(parts, string(o.Class))
	default:
		parts = append(parts, fmt.Sprintf("status %d", o.Status))
	}
	return fmt.Sprintf("%s  %s", bare(s, o.Seq), strings.Join(parts, " → "))
}

// peerHost is the host of an address; an address without a port is its host.
func peerHost(peer string) string {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return strings.Trim(peer, "[]")
	}
	return host
}

func peerName(s *record.Stage, peer string) string {
	host := peerHost(peer)
	if name, ok := s.Peers[host]; ok {
		return name
	}
	return host
}

// oddest keeps the description of the odd request with the lowest number,
// whatever the order in which odd requests turn up.
type oddest struct {
	seq  int
	text string
}

// add describes a request only if it precedes the one that is kept.
func (o *oddest) add(seq int, describe func() string) {
	if o.text == "" || seq < o.seq {
		o.seq, o.text = seq, describe()
	}
}

// choice tells which targets of a stage a claim reads.
type choice []bool

func chooseTargets(s *record.Stage, names []string) (choice, error) {
	chosen := make(choice, len(s.Load.Targets))
	for i := range chosen {
		chosen[i] = len(names) == 0
	}
	for _, name := range names {
		found := false
		for i, t := range s.Load.Targets {
			if t.Name == name {
				chosen[i], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("stage %s has no target %q", s.Name, name)
		}
	}
	return chosen, nil
}

// has is true for a chosen target; a stage without a list of targets has one.
func (c choice) has(target int) bool {
	if len(c) == 0 {
		return true
	}
	return target >= 0 && target < len(c) && c[target]
}

// zeroFailures is how many clean units the promise needs.
func zeroFailures(p record.Promise) (int, error) {
	return stat.ZeroFailures(max(1, p.Delta), p.Beta)
}
