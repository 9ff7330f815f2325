package sample

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wayproof/wayproof/internal/record"
)

// Payloads are strings that try to become script, markup or a link in any
// context that a report has: text, attribute, script, style, URL, XML, terminal.
func Payloads() []string {
	return []string{
		`<script>window.pwned=1</script>`,
		`"><img src=x onerror="window.pwned=1">`,
		`'-window.pwned=1-'`,
		`</script><script>window.pwned=1</script>`,
		`</title></style><svg onload=window.pwned=1>`,
		`javascript:window.pwned=1`,
		`{{.Env}}${window.pwned=1}`,
		"]]><x:y>&amp;&#0;\x00\x1b[2J\u202Egpj.exe",
		"| [x](javascript:window.pwned=1) <details open ontoggle=window.pwned=1>",
		"\xff\xfe\uFFFE--><!--",
	}
}

// Hostile is a run in which everything that a cluster could have written is a payload.
type Hostile struct{ honest *Run }

// NewHostile makes a hostile run.
func NewHostile(seed uint64) (*Hostile, error) {
	r := New(seed, 1)
	for i := range r.head.Verdicts {
		poisonVerdict(&r.head.Verdicts[i], i)
	}
	for i := range r.head.Stages {
		r.head.Stages[i].Peers = map[string]string{"10.244.1.7": payload(i), "10.244.2.9": payload(i + 1)}
		r.head.Stages[i].Missing = []string{payload(i)}
		r.head.Stages[i].Config = []string{payload(i)}
	}
	for i := range r.head.Plan.Promises {
		r.head.Plan.Promises[i].Title = payload(i)
		label, err := json.Marshal(payload(i))
		if err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
		r.head.Plan.Promises[i].Params = fmt.Appendf(nil, `{"service":%[1]s,"label":%[1]s,"arms":[{"version":%[1]s,"weight":7},{"version":"v2","weight":3}]}`, label)
	}
	poisonRest(&r.head)
	return &Hostile{r}, nil
}

func poisonVerdict(v *record.Verdict, i int) {
	v.Title, v.Declared, v.Observed, v.Allowed = payload(i), payload(i+1), payload(i+2), payload(i+3)
	v.P, v.Detail, v.Reason, v.FirstOdd = payload(i+4), payload(i+5), payload(i+6), payload(i+7)
	v.Known, v.Config = payload(5), []string{payload(i)}
	v.Evidence = []string{payload(i), "javascript:window.pwned=1", "../../etc/passwd", "//example.org/x", "evidence/a b#c?d.json"}
	v.Figures = []record.Figure{{Name: payload(i), Value: payload(i + 1)}}
}

func poisonRest(run *record.Run) {
	run.Command, run.Again = payload(3), payload(4)
	run.Environment.Istio, run.Environment.Waypoint = payload(0), payload(1)
	run.Environment.Components = []record.Component{{Name: payload(2), Version: payload(3), Image: payload(4), Source: payload(5)}}
	run.Findings = []record.Finding{{Object: payload(0), Text: payload(1)}}
	for i := range run.Windows {
		run.Windows[i].Name, run.Windows[i].Fault = payload(i), payload(i+1)
	}
}

func payload(i int) string {
	all := Payloads()
	return all[i%len(all)]
}

// Walk poisons the items on their way.
func (h *Hostile) Walk(ctx context.Context, sink record.Sink) error {
	return h.honest.Walk(ctx, record.Handlers{
		OnObservation: func(o *record.Observation) error {
			o.Service, o.Version, o.Pod, o.Body = payload(o.Seq), payload(o.Seq+1), payload(o.Seq+2), payload(o.Seq)
			o.Header = map[string]string{"x": payload(o.Seq)}
			if o.Seq%50 == 0 {
				o.Class = record.Class(payload(o.Seq / 50))
			}
			return sink.Observation(o)
		},
		OnArrival: func(a *record.Arrival) error {
			a.Service, a.Version, a.Pod, a.Path = payload(a.Seq), payload(a.Seq+1), payload(a.Seq+2), payload(a.Seq)
			return sink.Arrival(a)
		},
		OnSample: func(s *record.Sample) error {
			s.Series, s.Text = payload(len(s.Series)), payload(1)
			return sink.Sample(s)
		},
	})
}

// Run is the poisoned head.
func (h *Hostile) Run() *record.Run { return h.honest.Run() }
