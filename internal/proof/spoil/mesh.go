package spoil

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// rarely is how often a rare defect happens: once in so many requests.
const rarely = 20

// every changes each request that a condition picks.
func (r *Recording) every(picks func(*record.Observation) bool, change func(*record.Observation)) {
	for i := range r.Observations {
		if picks(&r.Observations[i]) {
			change(&r.Observations[i])
		}
	}
}

// one of n requests, by its number: no defect is missed by bad luck.
func oneOf(n int) func(*record.Observation) bool {
	return func(o *record.Observation) bool { return o.Seq%n == n/2 }
}

// picked has v1 answer where the condition says so and v2 elsewhere, and the
// ledgers tell the same.
func (r *Recording) picked(v1 func(*record.Observation) bool) {
	r.every(func(*record.Observation) bool { return true }, func(o *record.Observation) {
		answeredBy(o, "v2")
		if v1(o) {
			answeredBy(o, "v1")
		}
	})
	r.enter()
}

func kills(kinds ...string) []string { return kinds }

// picks are defects of who is picked to answer.
func picks() []Mutant {
	independence, shares := kills(claim.KindIndependence), kills(claim.KindSplit, claim.KindShare)
	in := []string{split}
	return []Mutant{
		{Name: "share-55", Title: "v1 gets 55 % instead of 70 %", Recordings: in, Kills: shares, spoil: redrawn(550)},
		{Name: "share-85", Title: "v1 gets 85 % instead of 70 %", Recordings: in, Kills: shares, spoil: redrawn(850)},
		{Name: "half", Title: "no route: both versions get half", Recordings: in, Kills: shares, spoil: redrawn(500)},
		{Name: "undeclared-version", Title: "one answer in twenty is from a version that nobody declared", Recordings: in, Kills: kills(claim.KindSplit), Also: kills(claim.KindShare), spoil: func(r *Recording, _ *rand.Rand) {
			r.every(oneOf(rarely), func(o *record.Observation) { answeredBy(o, "v3") })
			r.enter()
		}},
		{Name: "sticky", Title: "each connection stays with a version; the totals are right", Recordings: in, Kills: independence, spoil: func(r *Recording, _ *rand.Rand) {
			r.picked(func(o *record.Observation) bool { return (o.Client*8+o.Conn)*7%10 < 7 })
		}},
		{Name: "turns", Title: "seven for v1, then three for v2, in turns; the totals are right", Recordings: in, Kills: independence, spoil: func(r *Recording, _ *rand.Rand) {
			r.picked(func(o *record.Observation) bool { return o.Seq%10 < 7 })
		}},
		{Name: "stale-replica", Title: "one waypoint replica gives 90 %, the other 50 %; together 70 %", Recordings: in, Kills: independence, spoil: func(r *Recording, random *rand.Rand) {
			r.picked(func(o *record.Observation) bool { return random.IntN(100) < 90-40*(o.Conn%2) })
		}},
		{Name: "echo", Title: "four times of five a request gets what the one before it got", Recordings: in, Kills: independence, Also: shares, spoil: func(r *Recording, random *rand.Rand) {
			last := true
			r.picked(func(*record.Observation) bool {
				if random.IntN(5) == 0 {
					last = random.IntN(1000) < shareOfV1
				}
				return last
			})
		}},
		{Name: "one-pod", Title: "every connection goes to one of two pods", Recordings: []string{connections}, Kills: kills(claim.KindBalance), spoil: func(r *Recording, _ *rand.Rand) {
			r.every(func(*record.Observation) bool { return true }, func(o *record.Observation) { o.Pod = "cars-l4-0" })
		}},
		{Name: "lopsided", Title: "one of two pods gets two thirds of the connections", Recordings: []string{connections}, Kills: kills(claim.KindBalance), spoil: func(r *Recording, _ *rand.Rand) {
			r.every(func(*record.Observation) bool { return true }, func(o *record.Observation) { o.Pod = fmt.Sprintf("cars-l4-%d", min(1, o.Conn%3)) })
		}},
		{Name: "moves", Title: "one connection in ten changes its pod", Recordings: []string{connections}, Kills: kills(claim.KindBalance), spoil: func(r *Recording, _ *rand.Rand) {
			r.every(oneOf(rarely), func(o *record.Observation) {
				o.Pod = map[string]string{"cars-l4-0": "cars-l4-1", "cars-l4-1": "cars-l4-0"}[o.Pod]
			})
		}},
	}
}

// redrawn draws who answers anew, with another share of v1.
func redrawn(perMille int) func(*Recording, *rand.Rand) {
	return func(r *Recording, random *rand.Rand) {
		r.picked(func(*record.Observation) bool { return random.IntN(1000) < perMille })
	}
}

// answers are defects of what is answered.
func answers() []Mutant {
	return []Mutant{
		{
			Name: "refused", Title: "the waypoint answers one request in twenty with 503 itself", Recordings: []string{split},
			Kills: kills(claim.KindEvery, claim.KindAttempts, claim.KindBound), Also: kills(claim.KindSplit, claim.KindShare),
			spoil: func(r *Recording, _ *rand.Rand) {
				r.every(oneOf(rarely), func(o *record.Observation) { o.Status, o.Service, o.Version, o.Pod = 503, "", "", "" })
				r.enter()
			},
		},
		{
			Name: "cut", Title: "one connection in twenty is reset under its request", Recordings: []string{split},
			Kills: kills(claim.KindEvery, claim.KindAttempts, claim.KindBound), Also: kills(claim.KindSplit, claim.KindShare),
			spoil: func(r *Recording, _ *rand.Rand) { r.every(oneOf(rarely), reset); r.enter() },
		},
		{
			Name: "hidden-replays", Title: "one request in twenty is silently sent again by the client", Recordings: []string{split},
			Kills: kills(claim.KindEvery, claim.KindBound), Also: kills(claim.KindAttempts),
			spoil: func(r *Recording, _ *rand.Rand) {
				r.every(oneOf(rarely), func(o *record.Observation) { o.Replays = 1 })
			},
		},
	}
}

// arrivals are defects of what reaches the pods, and by whom.
func arrivals() []Mutant {
	return []Mutant{
		{
			Name: "repeated", Title: "one request in twenty arrives twice", Recordings: []string{split},
			Kills: kills(claim.KindEvery, claim.KindAttempts), Also: kills(claim.KindSplit),
			spoil: func(r *Recording, _ *rand.Rand) {
				for _, o := range r.Observations {
					if oneOf(rarely)(&o) {
						r.arrive(o.Stage, o.Seq, o.Service, o.Version).Attempt = 2
					}
				}
			},
		},
		{
			Name: "past-the-waypoint", Title: "one answer in twenty came past the waypoint", Recordings: []string{split},
			Kills: kills(claim.KindEvery),
			spoil: func(r *Recording, _ *rand.Rand) {
				r.every(oneOf(rarely), func(o *record.Observation) { o.Server = "" })
			},
		},
		{
			Name: "slash", Title: "one request in twenty arrives with a slash at the end of its path", Recordings: []string{split},
			Kills: kills(claim.KindEvery),
			spoil: func(r *Recording, _ *rand.Rand) {
				for i := range r.Arrivals {
					if r.Arrivals[i].Seq%rarely == 0 {
						r.Arrivals[i].Path += "/"
					}
				}
			},
		},
		{
			Name: "ledger-disagrees", Title: "one answer in twenty names another version than the ledger that has it", Recordings: []string{split},
			Silences: kills(claim.KindSplit),
			spoil: func(r *Recording, _ *rand.Rand) {
				for i := range r.Arrivals {
					if r.Arrivals[i].Seq%rarely == 0 {
						r.Arrivals[i].Version = map[string]string{"v1": "v2", "v2": "v1"}[r.Arrivals[i].Version]
					}
				}
			},
		},
		{
			Name: "idle-replica", Title: "all goes through one of two waypoint replicas", Recordings: []string{split},
			Kills: kills(claim.KindServing),
			spoil: func(r *Recording, _ *rand.Rand) {
				r.every(func(*record.Observation) bool { return true }, func(o *record.Observation) { o.Peer = fmt.Sprintf("10.0.0.1:5%03d", o.Conn) })
			},
		},
	}
}

// tables are defects of a redirect.
func tables(name, title string, target int, change func(*record.Observation)) Mutant {
	return Mutant{
		Name: name, Title: title, Recordings: []string{redirect}, Kills: kills(claim.KindTable),
		spoil: func(r *Recording, _ *rand.Rand) {
			r.every(func(o *record.Observation) bool { return o.Target == target }, change)
			r.enter()
		},
	}
}

// places are defects of where a client is sent, and of who answers it then.
func places() []Mutant {
	return []Mutant{
		tables("location-slash", "the Location has a slash too many", moved, func(o *record.Observation) {
			o.Location = "http://travels:8000/travels/Amsterdam/?adults=2"
		}),
		tables("query-dropped", "the Location lacks the query", moved, func(o *record.Observation) {
			o.Location = "http://travels:8000/travels/Amsterdam"
		}),
		tables("status-301", "the redirect is permanent", moved, func(o *record.Observation) { o.Status = 301 }),
		tables("redirect-missing", "nothing is redirected", moved, func(o *record.Observation) {
			o.Status, o.Location, o.Service, o.Version, o.Pod = 200, "", "travels", "v1", "travels-v1-x"
		}),
		tables("unrouted", "the waypoint answers 404 to what no rule matches", listed, func(o *record.Observation) {
			o.Status, o.Service, o.Version, o.Pod = 404, "", "", ""
		}),
		{
			Name: "redirect-leaks", Title: "a redirected request reaches the backend all the same", Recordings: []string{redirect}, Kills: kills(claim.KindTable),
			spoil: func(r *Recording, _ *rand.Rand) {
				for _, o := range r.Observations {
					if o.Target == moved && o.Seq%rarely == 0 {
						r.arrive(o.Stage, o.Seq, "travels", "v1")
					}
				}
			},
		},
	}
}

// slowed adds to the latency of the requests of a stage that a condition picks.
func slowed(stage int, by time.Duration, picks func(*record.Observation) bool) func(*Recording, *rand.Rand) {
	return func(r *Recording, _ *rand.Rand) {
		r.every(func(o *record.Observation) bool { return o.Stage == stage && picks(o) }, func(o *record.Observation) {
			o.Done += by
			o.First = min(o.First, o.Done)
		})
	}
}

// times are defects of how long it takes.
func times() []Mutant {
	all := func(*record.Observation) bool { return true }
	return []Mutant{
		{Name: "tail", Title: "one request in five takes 30 ms more", Recordings: []string{split}, Kills: kills(claim.KindLatency), spoil: slowed(0, 30*time.Millisecond, oneOf(5))},
		{Name: "too-soon", Title: "answers come two milliseconds before their time", Recordings: []string{split}, Kills: kills(claim.KindLatency), spoil: slowed(0, -2*time.Millisecond+50*time.Microsecond, all)},
		{Name: "mirror-waited-for", Title: "every answer waits 10 ms for the mirror", Recordings: []string{shift}, Kills: kills(claim.KindShift), spoil: slowed(1, 10*time.Millisecond, all)},
		{Name: "mirror-tail", Title: "one answer in five waits 20 ms for the mirror", Recordings: []string{shift}, Kills: kills(claim.KindShift), spoil: slowed(1, 20*time.Millisecond, oneOf(5))},
		{Name: "all-slow", Title: "every answer waits 200 ms for the mirror", Recordings: []string{shift}, Kills: kills(claim.KindShift, claim.KindLatency), spoil: slowed(1, 200*time.Millisecond, all)},
	}
}
