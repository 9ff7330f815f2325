package hdr

import (
	"maps"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Interval is the second of an attack in which requests were due.
type Interval struct {
	// Response is the time from the intended instant to the end of the answer:
	// what a user would have waited.
	Response Histogram `json:"response"`
	// Service is the time from sending to the end of the answer.
	Service Histogram `json:"service"`
	// Failed counts requests without a complete HTTP answer. A timeout is in the
	// histograms at its timeout as well, else a stall would look fast.
	Failed int `json:"failed,omitempty"`
}

func (i *Interval) add(o record.Observation) {
	i.Response.Record(o.Latency())
	i.Service.Record(o.Done - o.Sent)
	if o.Class != record.ClassOK {
		i.Failed++
	}
}

func (i *Interval) merge(other *Interval) {
	i.Response.Merge(&other.Response)
	i.Service.Merge(&other.Service)
	i.Failed += other.Failed
}

// Series is latency over time: one interval for each second of intended offsets.
// The zero value is empty and ready. It is not safe for concurrent use.
type Series struct {
	seconds map[int]*Interval
}

// Add records an observation in the second that it was due. Requests that the
// generator itself canceled say nothing about latency and are left out.
func (s *Series) Add(o record.Observation) {
	if o.Class == record.ClassCanceled {
		return
	}
	s.at(int(o.Intended / time.Second)).add(o)
}

func (s *Series) at(second int) *Interval {
	if s.seconds == nil {
		s.seconds = map[int]*Interval{}
	}
	if s.seconds[second] == nil {
		s.seconds[second] = &Interval{}
	}
	return s.seconds[second]
}

// Merge adds another worker's series. Both must have started at the same instant.
func (s *Series) Merge(other *Series) {
	for second, interval := range other.seconds {
		s.at(second).merge(interval)
	}
}

// Seconds are the seconds that hold anything, ascending.
func (s *Series) Seconds() []int { return slices.Sorted(maps.Keys(s.seconds)) }

// Second is one second's interval, nil where nothing was due.
func (s *Series) Second(second int) *Interval { return s.seconds[second] }

// Total is all seconds in one.
func (s *Series) Total() *Interval {
	total := &Interval{}
	for _, interval := range s.seconds {
		total.merge(interval)
	}
	return total
}
