package digest

import (
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// shareParams are those of the kind share that the digest needs.
type shareParams struct {
	Of struct {
		Status   int    `json:"status"`
		Version  string `json:"version"`
		Pod      string `json:"pod"`
		Class    string `json:"class"`
		SlowerMs int    `json:"slowerMs"`
		FasterMs int    `json:"fasterMs"`
		Measure  string `json:"measure"`
		Mirrored *struct {
			Service string `json:"service"`
			Version string `json:"version"`
		} `json:"mirrored"`
		Sampled  bool `json:"sampled"`
		Exported bool `json:"exported"`
	} `json:"of"`
	Targets []string `json:"targets"`
}

// Bits of a request.
const (
	bitMine uint8 = 1 << iota
	bitSeen       // has what the answer shows
	bitMirrored
	bitContext // arrived with a trace context
	bitSampled
	bitSpan
)

// property tells which requests have a share's property. What arrives later
// than the answer is joined by the request's number.
type property struct {
	params  shareParams
	targets chosen
	path    *Path
	late    flags // empty if the answers tell
}

func newProperty(params []byte, planned *record.Stage) *property {
	known, ok := read[shareParams](params)
	if !ok {
		return nil
	}
	p := &property{params: known, targets: choose(planned, known.Targets), path: newPath(planned.Load.Hits)}
	if known.Of.Mirrored != nil || known.Of.Sampled || known.Of.Exported {
		p.late = newFlags(planned.Load.Hits)
	}
	return p
}

func (p *property) observe(o *record.Observation) {
	if !p.targets.has(o.Target) {
		return
	}
	if p.late == nil {
		p.count(o.Seq, p.seen(o))
		return
	}
	p.late.set(o.Seq, bitMine)
	if p.seen(o) {
		p.late.set(o.Seq, bitSeen)
	}
}

func (p *property) count(seq int, has bool) {
	if has {
		p.path.add(seq, With)
		return
	}
	p.path.add(seq, Without)
}

func (p *property) seen(o *record.Observation) bool {
	of, took := p.params.Of, o.Latency()
	if of.Measure == "sent" {
		took = o.Done - o.Sent
	}
	return (of.Status == 0 || o.Status == of.Status) && (of.Version == "" || o.Version == of.Version) &&
		(of.Pod == "" || o.Pod == of.Pod) && (of.Class == "" || string(o.Class) == of.Class) &&
		(of.SlowerMs == 0 || took >= time.Duration(of.SlowerMs)*time.Millisecond) &&
		(of.FasterMs == 0 || took < time.Duration(of.FasterMs)*time.Millisecond)
}

func (p *property) arrive(a *record.Arrival) {
	if p.late == nil || a.Source != "" {
		return
	}
	if m := p.params.Of.Mirrored; m != nil && (m.Service == "" || m.Service == a.Service) && (m.Version == "" || m.Version == a.Version) {
		p.late.set(a.Seq, bitMirrored)
	}
	if sampled, known := traced(a.Traceparent); known && sampled {
		p.late.set(a.Seq, bitSampled)
	}
}

func (p *property) span(s *record.Span) { p.late.set(s.Seq, bitSpan) }

func (p *property) end() {
	need := bitSeen
	if p.params.Of.Mirrored != nil {
		need |= bitMirrored
	}
	if p.params.Of.Sampled {
		need |= bitSampled
	}
	if p.params.Of.Exported {
		need |= bitSpan
	}
	for seq, bits := range p.late {
		if bits&bitMine != 0 {
			p.count(seq, bits&need == need)
		}
	}
}

// traced reads the flags of a W3C trace context, the last of its four fields;
// bit 0 is "sampled" (https://www.w3.org/TR/trace-context/#sampled-flag).
func traced(traceparent string) (sampled, known bool) {
	fields := strings.Split(traceparent, "-")
	if len(fields) < 4 || len(fields[3]) != 2 {
		return false, false
	}
	digit := strings.IndexByte("0123456789abcdef", fields[3][1])
	return digit >= 0 && digit&1 == 1, digit >= 0
}
