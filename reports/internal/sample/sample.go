// Package sample makes runs for the tests of reports: invented, seeded, and
// shaped like real ones, with every kind of verdict and every kind of item. It
// is test data made by code; no report may be built on it.
package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Run is an invented run. Its items are drawn anew on every walk, always the
// same, so that a million of them take no memory.
type Run struct {
	head   record.Run
	seed   uint64
	scenes []scene
}

var _ record.Source = (*Run)(nil)

// scene is one stage with its promises, verdicts and traffic.
type scene struct {
	stage    record.Stage
	promises []record.Promise
	verdicts []record.Verdict
	windows  []record.Window
	events   []record.Event
	// request draws the request with this number; its times are set already.
	request func(rng *rand.Rand, x *exchange)
	samples func(rng *rand.Rand) []record.Sample
}

// exchange is one request with what arrived because of it.
type exchange struct {
	record.Observation
	began    time.Time
	arrivals []record.Arrival
	spans    []record.Span
}

// trace gives the arrivals a trace context, and the request two spans if it is
// exported.
func (x *exchange) trace(sampled, exported bool) {
	flags := map[bool]string{true: "01", false: "00"}[sampled]
	for i := range x.arrivals {
		x.arrivals[i].Traceparent = fmt.Sprintf("00-%032x-%016x-%s", x.Seq+1, x.Seq+1, flags)
	}
	for i := 0; exported && i < 2; i++ {
		x.spans = append(x.spans, record.Span{
			Stage: x.Stage, Seq: x.Seq, TraceID: fmt.Sprintf("%032x", x.Seq+1), SpanID: fmt.Sprintf("%016x", 2*x.Seq+i),
			Name: "travels.travel-agency:8000/*", Service: "waypoint-travel-agency", Start: x.began.Add(x.Sent), End: x.began.Add(x.Done),
		})
	}
}

// arrive notes that the request reached a pod, after a time on the way.
func (x *exchange) arrive(service, version, pod string) {
	x.arrivals = append(x.arrivals, record.Arrival{
		Stage: x.Stage, Seq: x.Seq, Service: service, Version: version, Pod: pod, Peer: x.Peer,
		At: x.began.Add(x.Sent + time.Millisecond), Attempt: 1, Path: "/cars/Madrid", Host: "cars.travel-agency:8000",
	})
}

// answer fills in an answer by a pod after the given time.
func (x *exchange) answer(status int, took time.Duration, who [3]string) {
	x.Status, x.Class = status, record.ClassOK
	x.First, x.Done = x.Sent+took*9/10, x.Sent+took
	x.Service, x.Version, x.Pod = who[0], who[1], who[2]
}

// fail ends the request without an answer.
func (x *exchange) fail(class record.Class, took time.Duration) {
	x.Class, x.Done = class, x.Sent+took
}

// New makes a run of the given seed; scale multiplies the requests of every
// stage (1 is about twenty thousand).
func New(seed uint64, scale int) *Run {
	r := &Run{seed: seed, head: head(seed)}
	r.scenes = []scene{
		splitStale(), splitHealthy(), redirect(), mirror(), delayed(), autoscale(), waypointKill(), balance(), retries(), abort(), traced(),
	}
	at := r.head.Started.Add(20 * time.Second)
	for i := range r.scenes {
		s := &r.scenes[i]
		at = s.place(at, scale)
		r.head.Stages = append(r.head.Stages, s.stage)
		r.head.Windows = append(r.head.Windows, s.windows...)
		r.head.Events = append(r.head.Events, s.events...)
		r.head.Plan.Promises = append(r.head.Plan.Promises, s.promises...)
		r.head.Verdicts = append(r.head.Verdicts, s.verdicts...)
	}
	r.head.Ended = at
	return r
}

// place puts the scene at its time in the run.
func (s *scene) place(at time.Time, scale int) time.Time {
	s.stage.Load.Hits *= scale
	s.stage.Load.Rate *= float64(scale)
	n := s.stage.Load.Hits
	s.stage.Health = record.Health{Planned: n, Sent: n, Completed: n, LagP99: 900 * time.Microsecond, LagMax: 4 * time.Millisecond}
	length := time.Duration(float64(n) / s.stage.Load.Rate * float64(time.Second))
	s.stage.Base, s.stage.Ended, s.stage.Collected = at, at.Add(length), at.Add(length+5*time.Second)
	for i := range s.windows {
		s.windows[i].Start = at.Add(s.windows[i].Start.Sub(time.Time{}))
		s.windows[i].End = at.Add(s.windows[i].End.Sub(time.Time{}))
	}
	for i := range s.events {
		s.events[i].At = at.Add(s.events[i].At.Sub(time.Time{}))
	}
	return at.Add(length + 8*time.Second)
}

// Run is the head.
func (r *Run) Run() *record.Run { return &r.head }

// Walk draws every item.
func (r *Run) Walk(ctx context.Context, sink record.Sink) error {
	for i := range r.scenes {
		if err := r.walkScene(ctx, i, sink); err != nil {
			return fmt.Errorf("walk sample stage %d: %w", i, err)
		}
	}
	return nil
}

func (r *Run) walkScene(ctx context.Context, index int, sink record.Sink) error {
	s := &r.scenes[index]
	rng := rand.New(rand.NewPCG(r.seed, uint64(index)))
	load := s.stage.Load
	for seq := range load.Hits {
		if seq%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		x := exchange{began: s.stage.Base}
		x.Stage, x.Seq = index, seq
		x.Client = seq % max(1, load.Clients)
		x.Conn, x.Reused = seq/2000, seq%2000 >= load.Clients
		x.Target = seq % max(1, len(load.Targets))
		x.Intended = time.Duration(float64(seq) / load.Rate * float64(time.Second))
		x.Sent = x.Intended + time.Duration(rng.ExpFloat64()*float64(200*time.Microsecond))
		s.request(rng, &x)
		if err := deliver(sink, &x); err != nil {
			return err
		}
	}
	return r.walkSamples(index, rng, sink)
}

func deliver(sink record.Sink, x *exchange) error {
	if err := sink.Observation(&x.Observation); err != nil {
		return err
	}
	for i := range x.arrivals {
		if err := sink.Arrival(&x.arrivals[i]); err != nil {
			return err
		}
	}
	for i := range x.spans {
		if err := sink.Span(&x.spans[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) walkSamples(index int, rng *rand.Rand, sink record.Sink) error {
	s := &r.scenes[index]
	if s.samples == nil {
		return nil
	}
	for _, sample := range s.samples(rng) {
		sample.Stage, sample.At = index, s.stage.Base.Add(sample.At.Sub(time.Time{}))
		if err := sink.Sample(&sample); err != nil {
			return err
		}
	}
	return nil
}
