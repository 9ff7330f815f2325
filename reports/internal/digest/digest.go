// Package digest shrinks the items of a run to what pictures need, in one pass
// and in memory that depends on the number of stages, not of requests (but for
// one byte per request and receiver in the stages whose copies are counted).
//
// It counts and never judges: what a digest shows beside a verdict is for the
// reader's eye, the verdict's own numbers come from package claim.
package digest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Slices is the number of slices of time that a stage is cut into.
const Slices = 96

// Digest is a run, shrunk.
type Digest struct {
	Stages   []*Stage // one for each stage of the run
	Observed int      // requests of all stages
	Traffic  []Edge   // who called whom, most calls first
	// Promised is by the promise's id, for those kinds whose pictures need it.
	Promised map[string]*Promised
	// Incomplete is set if the record broke off; what is here stands.
	Incomplete *record.Incomplete

	calls *calls
	parts [][]part // by stage
}

// Stage is one stage, shrunk.
type Stage struct {
	Observed int
	Length   time.Duration // of the load
	Span     time.Duration // until the last thing that was collected
	Latency  *Grid         // of answered and timed-out requests, by intended time
	Odd      *Lanes        // requests that failed, by class, by intended time
	Statuses *Counts       // of answers
	Arms     *Path         // answers by version, in intended order
	Through  *Through      // answers by waypoint replica and version
	Pods     *Counts       // connections by the pod that answered their first request
	Carriers *Counts       // connections by the waypoint replica of their first request
	Targets  []*Counts     // answers by target, in the order of the load's targets
	Copies   []*Copies     // arrivals by receiver; only where asked for
	Series   []*Series     // numeric samples
}

// targetsKept bounds the targets of a stage whose answers are told apart,
// answersKept the kinds of answers of each.
const (
	targetsKept = 64
	answersKept = 5
)

// copying are the kinds of promise whose pictures need arrivals by request.
var copying = [...]string{"mirror", "attempts"} //nolint:gochecknoglobals // a constant but for its type

// Read walks a run once.
func Read(ctx context.Context, source record.Source) (*Digest, error) {
	run := source.Run()
	d := &Digest{calls: newCalls()}
	for i := range run.Stages {
		d.Stages = append(d.Stages, newStage(&run.Stages[i], wantsCopies(run, run.Stages[i].Name)))
	}
	d.parts, d.Promised = newParts(run, d.Stages)
	err := source.Walk(ctx, &reader{run: run, digest: d})
	for _, parts := range d.parts {
		for _, one := range parts {
			one.end()
		}
	}
	if err != nil && !errors.As(err, &d.Incomplete) {
		return nil, fmt.Errorf("digest run %s: %w", run.ID, err)
	}
	d.Traffic = d.calls.edges()
	return d, nil
}

func wantsCopies(run *record.Run, stage string) bool {
	return slices.ContainsFunc(run.Plan.Promises, func(p record.Promise) bool {
		return slices.Contains(copying[:], p.Kind) && slices.Contains(p.Stages, stage)
	})
}

func newStage(s *record.Stage, copies bool) *Stage {
	length := s.Ended.Sub(s.Base)
	if length <= 0 && s.Load.Rate > 0 {
		length = time.Duration(float64(s.Load.Hits) / s.Load.Rate * float64(time.Second))
	}
	length = max(length, time.Millisecond)
	span := max(length, s.Collected.Sub(s.Base))
	stage := &Stage{
		Length: length, Span: span, Latency: newGrid(), Odd: newLanes(),
		Statuses: NewCounts(12), Pods: NewCounts(12), Carriers: NewCounts(12), Arms: newPath(s.Load.Hits), Through: newThrough(),
	}
	for range min(len(s.Load.Targets), targetsKept) {
		stage.Targets = append(stage.Targets, NewCounts(answersKept))
	}
	if copies {
		stage.Copies = []*Copies{}
	}
	return stage
}

// slice is the slice of time that an offset into the load falls into.
func slice(at, length time.Duration) int {
	return min(max(0, int(float64(at)/float64(length)*Slices)), Slices-1)
}

// reader is the sink of the walk. Items of stages that the head does not know
// are counted as calls only.
type reader struct {
	run    *record.Run
	digest *Digest
}

func (r *reader) stage(i int) (*Stage, *record.Stage) {
	if i < 0 || i >= len(r.digest.Stages) {
		return nil, nil
	}
	return r.digest.Stages[i], &r.run.Stages[i]
}

// Observation adds a request.
func (r *reader) Observation(o *record.Observation) error {
	r.digest.Observed++
	s, planned := r.stage(o.Stage)
	if s == nil {
		return nil
	}
	waypoint := peer(planned, o.Peer)
	s.add(o)
	s.Through.add(waypoint, o.Version)
	if waypoint != "" && !o.Reused {
		s.Carriers.Add(waypoint)
	}
	for _, one := range r.digest.parts[o.Stage] {
		one.observe(o)
	}
	r.digest.calls.request(o, waypoint)
	return nil
}

// Arrival adds a call, and a copy where copies are counted.
func (r *reader) Arrival(a *record.Arrival) error {
	s, planned := r.stage(a.Stage)
	if s == nil {
		return nil
	}
	if s.Copies != nil {
		s.copied(a, planned.Load.Hits)
	}
	for _, one := range r.digest.parts[a.Stage] {
		one.arrive(a)
	}
	r.digest.calls.arrival(a, peer(planned, a.Peer))
	return nil
}

// Span shows a span to the promises about traces.
func (r *reader) Span(sp *record.Span) error {
	if s, _ := r.stage(sp.Stage); s == nil {
		return nil
	}
	for _, one := range r.digest.parts[sp.Stage] {
		one.span(sp)
	}
	return nil
}

// Sample adds a point to a series.
func (r *reader) Sample(m *record.Sample) error {
	if s, planned := r.stage(m.Stage); s != nil {
		s.sampled(m, planned.Base)
	}
	return nil
}

// peer is the name of a peer's address, with or without a port; "" if it has none.
func peer(s *record.Stage, address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	return s.Peers[strings.Trim(address, "[]")]
}

func (s *Stage) add(o *record.Observation) {
	s.Observed++
	at := slice(o.Intended, s.Length)
	if o.Class == record.ClassOK || o.Class == record.ClassTimeout {
		s.Latency.add(at, o.Latency())
	}
	if o.Class == record.ClassOK {
		s.Statuses.Add(strconv.Itoa(o.Status))
	}
	if o.Failed() {
		s.Odd.add(at, oddName(o))
	}
	if o.Target >= 0 && o.Target < len(s.Targets) {
		s.Targets[o.Target].Add(answerName(o))
	}
	if o.Version != "" {
		s.Arms.add(o.Seq, o.Version)
	}
	if o.Pod != "" && !o.Reused {
		s.Pods.Add(o.Pod)
	}
}

// answerName says how a request ended: its status, and who answered or where
// to go instead.
func answerName(o *record.Observation) string {
	name := string(o.Class)
	if o.Class == record.ClassOK {
		name = strconv.Itoa(o.Status)
	}
	switch {
	case o.Location != "":
		return name + " to " + o.Location
	case o.Service != "":
		return strings.TrimSpace(name + " by " + o.Service + " " + o.Version)
	}
	return name
}

func oddName(o *record.Observation) string {
	switch {
	case o.Class != record.ClassOK:
		return string(o.Class)
	case o.Replays > 0:
		return "sent again"
	}
	return fmt.Sprintf("answered %d", o.Status)
}
