package spoil

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Recording is a recorded run in the open, so that it can be spoilt, together
// with the promises that it is judged by.
type Recording struct {
	Name         string
	Head         record.Run
	Observations []record.Observation
	Arrivals     []record.Arrival
	Spans        []record.Span
	Samples      []record.Sample
	// End is what reading the recording ends with: the error of a broken record.
	End error
}

var _ record.Source = (*Recording)(nil)

// Run is part of record.Source.
func (r *Recording) Run() *record.Run { return &r.Head }

// Walk is part of record.Source. It ends with the error that the recording has.
func (r *Recording) Walk(_ context.Context, sink record.Sink) error {
	if err := each(r.Observations, sink.Observation); err != nil {
		return err
	}
	if err := each(r.Arrivals, sink.Arrival); err != nil {
		return err
	}
	if err := each(r.Spans, sink.Span); err != nil {
		return err
	}
	if err := each(r.Samples, sink.Sample); err != nil {
		return err
	}
	return r.End
}

func each[T any](items []T, deliver func(*T) error) error {
	for i := range items {
		if err := deliver(&items[i]); err != nil {
			return err
		}
	}
	return nil
}

// clone is a recording that can be spoilt while this one stays sound.
func (r *Recording) clone() *Recording {
	c := *r
	c.Head.Stages, c.Head.Windows = slices.Clone(r.Head.Stages), slices.Clone(r.Head.Windows)
	c.Observations, c.Arrivals = slices.Clone(r.Observations), slices.Clone(r.Arrivals)
	c.Spans, c.Samples = slices.Clone(r.Spans), slices.Clone(r.Samples)
	return &c
}

// Judge judges every promise of the recording. That the record is broken is not
// an error here but in the verdicts.
func (r *Recording) Judge(ctx context.Context) []record.Verdict {
	verdicts, _ := claim.Judge(ctx, r, r.Head.Plan.Promises)
	return verdicts
}

// epoch is when every recording begins, interval how far apart its requests are.
const interval = 5 * time.Millisecond

func epoch() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// at is the intended instant of a request.
func at(seq int) time.Duration { return time.Duration(seq) * interval }

// load adds a stage of healthy load: 64 connections of 8 clients, half of them
// through each of two waypoint replicas. answer may change what each request saw.
func (r *Recording) load(name string, hits int, answer func(*record.Observation)) {
	index := len(r.Head.Stages)
	r.Head.Stages = append(r.Head.Stages, record.Stage{
		Name: name, Spec: r.Name, Base: epoch(), Ended: epoch().Add(at(hits)), Collected: epoch().Add(at(hits) + 3*time.Second),
		Load: record.Load{
			Rate: float64(time.Second / interval), Hits: hits, Clients: 8, IDPrefix: name, Targets: []record.Target{{Name: "cars"}},
		},
		Health: record.Health{Planned: hits, Sent: hits, Completed: hits, LagP99: time.Millisecond},
		Peers:  map[string]string{"10.0.0.1": "waypoint-a", "10.0.0.2": "waypoint-b"},
	})
	for seq := range hits {
		o := healthy(index, seq)
		if answer != nil {
			answer(&o)
		}
		r.Observations = append(r.Observations, o)
	}
}

// healthy is a request as cars-v1 answers it after three milliseconds.
func healthy(stage, seq int) record.Observation {
	conn := seq / 8 % 8
	return record.Observation{
		Stage: stage, Seq: seq, Client: seq % 8, Conn: conn, Reused: seq >= 64, Intended: at(seq),
		Sent: at(seq) + 50*time.Microsecond, First: at(seq) + 2*time.Millisecond, Done: at(seq) + 3*time.Millisecond,
		Status: 200, Class: record.ClassOK, Service: "cars", Version: "v1", Pod: "cars-v1-x", Server: envoy,
		Peer: fmt.Sprintf("10.0.0.%d:4%03d", 1+conn%2, conn),
	}
}

// envoy signs answers that came through a waypoint.
const envoy = "istio-envoy"

// answeredBy has a version of cars answer a request.
func answeredBy(o *record.Observation, version string) {
	o.Version, o.Pod = version, "cars-"+version+"-x"
}

// enter writes every answered request into the ledger of the pod that answered.
// What the ledgers held before is gone: after a defect that moved answers, the
// ledgers tell of the same defect.
func (r *Recording) enter() {
	r.Arrivals = nil
	for _, o := range r.Observations {
		if o.Class == record.ClassOK && o.Service != "" {
			r.arrive(o.Stage, o.Seq, o.Service, o.Version)
		}
	}
}

// arrive adds one arrival, and returns it to be changed.
func (r *Recording) arrive(stage, seq int, service, version string) *record.Arrival {
	r.Arrivals = append(r.Arrivals, record.Arrival{
		Stage: stage, Seq: seq, Service: service, Version: version, Pod: service + "-" + version + "-x",
		At: epoch().Add(at(seq)), Attempt: 1, Path: carsPath,
	})
	return &r.Arrivals[len(r.Arrivals)-1]
}

// carsPath is what every request asks for.
const carsPath = "/cars/Madrid"
