package digest

import (
	"github.com/wayproof/wayproof/internal/record"
)

// receiversKept and requestsKept bound the memory for copies: beyond them
// nothing is counted, and Copies.Beyond says how much.
const (
	receiversKept = 4
	requestsKept  = 4 << 20
)

// Copies counts for each request how often it arrived at one receiver.
type Copies struct {
	Service, Version string
	Log              bool // counted from the pod's log, not its ledger
	Beyond           int  // arrivals of requests that were never planned or are beyond the bound
	arrived          []uint8
}

func (s *Stage) copied(a *record.Arrival, hits int) {
	c := s.receiver(a, hits)
	switch {
	case c == nil:
	case a.Seq < 0 || a.Seq >= len(c.arrived):
		c.Beyond++
	case c.arrived[a.Seq] < 255:
		c.arrived[a.Seq]++
	}
}

func (s *Stage) receiver(a *record.Arrival, hits int) *Copies {
	for _, c := range s.Copies {
		if c.Service == a.Service && c.Version == a.Version && c.Log == (a.Source == "log") {
			return c
		}
	}
	if len(s.Copies) == receiversKept {
		return nil
	}
	c := &Copies{
		Service: a.Service, Version: a.Version, Log: a.Source == "log",
		arrived: make([]uint8, min(max(0, hits), requestsKept)),
	}
	s.Copies = append(s.Copies, c)
	return c
}

// MostArrivals is from where on arrivals of one request are not told apart.
const MostArrivals = 6

// Histogram is the number of requests by how often they arrived, the last for
// MostArrivals or more; of leaves requests out by their number.
func (c *Copies) Histogram(of func(seq int) bool) [MostArrivals + 1]int {
	var h [MostArrivals + 1]int
	for seq, n := range c.arrived {
		if of(seq) {
			h[min(int(n), MostArrivals)]++
		}
	}
	return h
}
