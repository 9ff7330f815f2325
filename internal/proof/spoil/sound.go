package spoil

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// Error probabilities of the promises about recordings: looser than a run's, so
// that recordings are short and thousands can be judged in a second.
const (
	alpha = 1e-4
	beta  = 1e-4
	delta = 100 // per mille
)

// Names of the recordings.
const (
	split       = "split"       // 70/30 through two waypoint replicas
	mirror      = "mirror"      // a copy of every request
	mirrorHalf  = "mirror half" // a copy of half of them
	shift       = "shift"       // latency without and with a slow mirror
	connections = "connections" // two pods behind the node proxy
	redirect    = "redirect"    // a table of targets
	tracing     = "tracing"     // half of the requests sampled
	cluster     = "cluster"     // samples of the autoscaler and of the node proxies' table
	outage      = "outage"      // a fault window and the way back
	ordeal      = "ordeal"      // a fault window that lasts, and what it may cost meanwhile
)

// recorder draws one sound recording.
type recorder func(*Recording, *rand.Rand)

func recorders() map[string]recorder {
	return map[string]recorder{
		split: soundSplit, mirror: soundMirror, mirrorHalf: soundMirrorHalf, shift: soundShift, connections: soundConnections,
		redirect: soundRedirect, tracing: soundTracing, cluster: soundCluster, outage: soundOutage, ordeal: soundOrdeal,
	}
}

// Sound draws a recording on which each of its promises holds. The error is
// about a name that is none, or promises that cannot be planned.
func Sound(name string, seed uint64) (*Recording, error) {
	draw, known := recorders()[name]
	if !known {
		return nil, fmt.Errorf("no recording %q", name)
	}
	promised, err := claim.Plan(promises(name), 0.1)
	if err != nil {
		return nil, fmt.Errorf("plan recording %s: %w", name, err)
	}
	r := &Recording{Name: name, Head: record.Run{
		Schema: record.Schema, ID: name, Seed: seed, Started: epoch(), Plan: record.Plan{Seed: seed, Promises: promised},
	}}
	draw(r, rand.New(rand.NewPCG(seed, uint64(len(name)))))
	return r, nil
}

// hits is enough for every promise of the recording, and a bit.
func (r *Recording) hits() int {
	most := 200
	for _, promise := range r.Head.Plan.Promises {
		most = max(most, promise.N+50)
	}
	return most
}

// shareOfV1 is the declared share of cars-v1, per mille.
const shareOfV1 = 700

// draw has each request answered by v1 with a probability given per mille, else by v2.
func drawn(random *rand.Rand, perMille int) func(*record.Observation) {
	return func(o *record.Observation) {
		if random.IntN(1000) >= perMille {
			answeredBy(o, "v2")
		}
	}
}

func soundSplit(r *Recording, random *rand.Rand) {
	r.load("s", r.hits(), drawn(random, shareOfV1))
	r.enter()
}

func soundMirror(r *Recording, _ *rand.Rand) {
	hits := r.hits()
	r.load("s", hits, nil)
	r.enter()
	for seq := range hits {
		r.copied(seq)
	}
}

// copied enters the copy of a request at cars-v2, in its ledger and in its log.
func (r *Recording) copied(seq int) {
	r.arrive(0, seq, "cars", "v2")
	r.arrive(0, seq, "cars", "v2").Source = "log"
}

func soundMirrorHalf(r *Recording, random *rand.Rand) {
	hits := r.hits()
	r.load("s", hits, nil)
	r.enter()
	for seq := range hits {
		if random.IntN(2) == 0 {
			r.arrive(0, seq, "cars", "v2")
		}
	}
}

func soundShift(r *Recording, random *rand.Rand) {
	jitter := func(o *record.Observation) {
		o.Done += time.Duration(random.IntN(1000)) * time.Microsecond
	}
	r.load("s", r.hits(), jitter)
	r.load("with", r.hits(), jitter)
}

// soundConnections has two requests on each connection, so that a connection
// that moves is seen.
func soundConnections(r *Recording, random *rand.Rand) {
	pod := ""
	r.load("s", 2*r.hits(), func(o *record.Observation) {
		if o.Seq%2 == 0 {
			pod = fmt.Sprintf("cars-l4-%d", random.IntN(2))
		}
		o.Client, o.Conn, o.Reused = 0, o.Seq/2, o.Seq%2 == 1
		o.Service, o.Pod, o.Server = "cars-l4", pod, ""
	})
}

// The targets of a redirect's table, in turns.
const (
	moved = iota
	listed
)

const location = "http://travels:8000/travels/Amsterdam?adults=2"

func soundRedirect(r *Recording, _ *rand.Rand) {
	r.load("s", r.hits(), func(o *record.Observation) {
		o.Target = o.Seq % 2
		o.Service, o.Pod = "travels", "travels-v1-x"
		if o.Target == moved {
			o.Status, o.Location, o.Service, o.Version, o.Pod = 302, location, "", "", ""
		}
	})
	r.Head.Stages[0].Load.Targets = []record.Target{{Name: "moved"}, {Name: "listed"}}
	r.enter()
}

// soundTracing has half of the requests sampled, each with the span of the
// waypoint and the one below it.
func soundTracing(r *Recording, random *rand.Rand) {
	hits := r.hits()
	r.load("s", hits, nil)
	for seq := range hits {
		sampled := random.IntN(2) == 0
		r.arrive(0, seq, "cars", "v1").Traceparent = traceparent(seq, sampled)
		if sampled {
			r.export(seq)
		}
	}
}

func traceparent(seq int, sampled bool) string {
	if sampled {
		return fmt.Sprintf("00-%032x-b7ad6b7169203331-01", seq+1)
	}
	return fmt.Sprintf("00-%032x-b7ad6b7169203331-00", seq+1)
}

// export adds the two spans of a request's trace.
func (r *Recording) export(seq int) {
	one := record.Span{Seq: seq, TraceID: fmt.Sprintf("%032x", seq+1), SpanID: "1", Name: spanName, Service: "waypoint"}
	below := one
	below.SpanID, below.ParentID = "2", "1"
	r.Spans = append(r.Spans, one, below)
}

const spanName = "cars.travel-agency.svc.cluster.local:8000/*"

// soundCluster is an autoscaler that goes from 2 to 3 replicas, looked at every
// second, and a table of two Services.
func soundCluster(r *Recording, _ *rand.Rand) {
	const seconds = 60
	r.Head.Stages = append(r.Head.Stages, record.Stage{Name: "s", Spec: r.Name, Base: epoch(), Ended: epoch().Add(seconds * time.Second)})
	for second := range seconds {
		replicas := 2.0
		if second >= 30 {
			replicas = 3
		}
		r.sampled(second, "hpa/max", 5, "")
		r.sampled(second, "hpa/desired", replicas, "")
	}
	r.sampled(0, "table/travel-agency/cars", 0, "None 1/1")
	r.sampled(seconds, "table/travel-agency/cars", 0, "waypoint 1/1")
	r.sampled(seconds, "table/travel-agency/hotels", 0, "waypoint 1/1")
}

func (r *Recording) sampled(second int, series string, value float64, text string) {
	r.Samples = append(r.Samples, record.Sample{
		At: epoch().Add(time.Duration(second) * time.Second), Series: series, Value: value, Text: text,
	})
}

// The outage of a recording: from here to there every request fails, and the
// window of the fault ends with it.
const (
	outageFrom = 2 * time.Second
	outageTill = 2500 * time.Millisecond
)

func soundOutage(r *Recording, _ *rand.Rand) {
	r.load("s", max(r.hits(), 1200), func(o *record.Observation) {
		if o.Intended >= outageFrom && o.Intended < outageTill {
			reset(o)
		}
	})
	r.Head.Windows = []record.Window{
		{Spec: r.Name, Name: "fault", Start: epoch().Add(outageFrom), End: epoch().Add(outageTill)},
		{Spec: r.Name, Name: "after", Start: epoch().Add(outageTill + time.Second), End: epoch().Add(time.Hour)},
	}
}

// The ordeal of a recording: v2, which gets half of the requests, answers 503 for
// as long as the fault lasts.
const (
	ordealFrom  = 2 * time.Second
	ordealTill  = 12 * time.Second
	ordealShare = 500
)

func soundOrdeal(r *Recording, random *rand.Rand) {
	r.load("s", max(r.hits(), 2600), func(o *record.Observation) {
		drawn(random, ordealShare)(o)
		if o.Version == "v2" && o.Intended >= ordealFrom && o.Intended < ordealTill {
			o.Status = 503
		}
	})
	r.Head.Windows = []record.Window{{Spec: r.Name, Name: "fault", Start: epoch().Add(ordealFrom), End: epoch().Add(ordealTill)}}
}

// reset has a request end without an answer.
func reset(o *record.Observation) {
	o.Class, o.Status, o.First = record.ClassReset, 0, 0
	o.Service, o.Version, o.Pod, o.Peer, o.Server = "", "", "", "", ""
}
