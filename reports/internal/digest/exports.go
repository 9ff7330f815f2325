package digest

import (
	"cmp"

	"github.com/wayproof/wayproof/internal/record"
)

// spansKept bounds how many spans of one request are told apart.
const spansKept = 8

// Exports counts requests by whether their trace context arrived sampled, and
// by how many spans of them the sink has.
type Exports struct {
	Least   int                // spans that a sampled request must have
	Sampled [spansKept + 1]int // sampled requests by number of spans, the last for so many or more
	Dropped [spansKept + 1]int // requests that arrived not sampled, likewise
	Blind   int                // requests that arrived without a trace context
	Strays  int                // spans of no request

	bits  flags
	spans flags
}

func newExports(params []byte, planned *record.Stage) *Exports {
	known, _ := read[struct {
		MinSpans int `json:"minSpans"`
	}](params)
	return &Exports{Least: cmp.Or(known.MinSpans, 1), bits: newFlags(planned.Load.Hits), spans: newFlags(planned.Load.Hits)}
}

func (e *Exports) observe(o *record.Observation) { e.bits.set(o.Seq, bitMine) }

func (e *Exports) arrive(a *record.Arrival) {
	sampled, known := traced(a.Traceparent)
	if !known || a.Source != "" {
		return
	}
	e.bits.set(a.Seq, bitContext)
	if sampled {
		e.bits.set(a.Seq, bitSampled)
	}
}

func (e *Exports) span(s *record.Span) {
	if s.Seq < 0 || s.Seq >= len(e.spans) {
		e.Strays++
		return
	}
	e.spans[s.Seq] = min(e.spans[s.Seq]+1, spansKept)
}

func (e *Exports) end() {
	for seq, bits := range e.bits {
		switch {
		case bits&bitMine == 0:
		case bits&bitSampled != 0:
			e.Sampled[e.spans[seq]]++
		case bits&bitContext != 0:
			e.Dropped[e.spans[seq]]++
		default:
			e.Blind++
		}
	}
}
