package spoil

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/record"
)

// rearrange changes the arrivals by their version and number: how many of each
// there are afterwards.
func rearrange(count func(a *record.Arrival) int) func(*Recording, *rand.Rand) {
	return func(r *Recording, _ *rand.Rand) {
		var kept []record.Arrival
		for _, a := range r.Arrivals {
			for range count(&a) {
				kept = append(kept, a)
			}
		}
		r.Arrivals = kept
	}
}

// copyOf picks the copies of one request in n.
func copyOf(n int, a *record.Arrival) bool { return a.Version == "v2" && a.Seq%n == n/2 }

// copies are defects of a mirror.
func copies() []Mutant {
	of := func(name, title string, spoil func(*Recording, *rand.Rand)) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{mirror}, Kills: kills(claim.KindMirror), spoil: spoil}
	}
	number := func(copies func(a *record.Arrival) bool, n int) func(*Recording, *rand.Rand) {
		return rearrange(func(a *record.Arrival) int {
			if copies(a) {
				return n
			}
			return 1
		})
	}
	return []Mutant{
		of("copy-lost", "one copy in twenty is lost", number(func(a *record.Arrival) bool { return copyOf(rarely, a) }, 0)),
		of("copy-doubled", "one copy in twenty comes twice", number(func(a *record.Arrival) bool { return copyOf(rarely, a) }, 2)),
		of("lost-and-doubled", "as many copies are lost as come twice: the totals are right", rearrange(func(a *record.Arrival) int {
			switch {
			case copyOf(rarely, a):
				return 0
			case copyOf(rarely, &record.Arrival{Version: a.Version, Seq: a.Seq + 1}):
				return 2
			}
			return 1
		})),
		of("no-copies", "nothing is copied", number(func(a *record.Arrival) bool { return a.Version == "v2" }, 0)),
		of("copies-of-90", "90 % are copied instead of all", number(func(a *record.Arrival) bool { return copyOf(10, a) }, 0)),
		of("log-disagrees", "the log lacks a copy in twenty that the ledger has", number(func(a *record.Arrival) bool { return copyOf(rarely, a) && a.Source == "log" }, 0)).silencing(claim.KindMirror),
		of("copied-to-itself", "the copies go to the primary", func(r *Recording, _ *rand.Rand) {
			for i := range r.Arrivals {
				if r.Arrivals[i].Version == "v2" {
					r.Arrivals[i].Version = "v1"
				}
			}
		}),
		of("answered-elsewhere", "one request in twenty is answered by another version than the primary", func(r *Recording, _ *rand.Rand) {
			r.every(oneOf(rarely), func(o *record.Observation) { answeredBy(o, "v3") })
			r.Arrivals = slices.DeleteFunc(r.Arrivals, func(a record.Arrival) bool { return a.Version == "v1" && a.Seq%rarely == rarely/2 })
		}).with(claim.KindEvery),
		of("primary-lost", "one request in twenty never arrives at its primary, though it is answered", number(func(a *record.Arrival) bool { return a.Version == "v1" && a.Seq%rarely == 0 }, 0)).silencing(claim.KindMirror),
		{Name: "copies-of-35", Title: "35 % are copied instead of half", Recordings: []string{mirrorHalf}, Kills: kills(claim.KindMirror), spoil: func(r *Recording, random *rand.Rand) {
			r.Arrivals = slices.DeleteFunc(r.Arrivals, func(a record.Arrival) bool { return a.Version == "v2" && random.IntN(10) < 3 })
		}},
		{Name: "copies-twice", Title: "half are copied, some of them twice", Recordings: []string{mirrorHalf}, Kills: kills(claim.KindMirror), spoil: number(func(a *record.Arrival) bool { return copyOf(4, a) }, 2)},
	}
}

// spans are defects of tracing.
func spans() []Mutant {
	of := func(name, title string, kinds []string, spoil func(*Recording, *rand.Rand)) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{tracing}, Kills: kinds, spoil: spoil}
	}
	traces := kills(claim.KindTraces)
	change := func(picks func(*record.Span) bool, change func(*record.Span)) func(*Recording, *rand.Rand) {
		return func(r *Recording, _ *rand.Rand) {
			for i := range r.Spans {
				if picks(&r.Spans[i]) {
					change(&r.Spans[i])
				}
			}
		}
	}
	root := func(s *record.Span) bool { return s.ParentID == "" && s.Seq%rarely < 2 }
	return []Mutant{
		of("spans-lost", "the spans of one sampled request in ten are lost", traces, func(r *Recording, _ *rand.Rand) {
			r.Spans = slices.DeleteFunc(r.Spans, func(s record.Span) bool { return s.Seq%rarely < 2 })
		}).with(claim.KindShare),
		of("no-spans", "nothing is exported", kills(claim.KindTraces, claim.KindShare), func(r *Recording, _ *rand.Rand) { r.Spans = nil }),
		of("unsampled-exported", "everything is exported, also what was not sampled", kills(claim.KindTraces, claim.KindShare), func(r *Recording, _ *rand.Rand) {
			r.Spans = nil
			for seq := range r.Observations {
				r.export(seq)
			}
		}),
		of("sampling-35", "35 % are sampled instead of half", kills(claim.KindShare), func(r *Recording, random *rand.Rand) {
			r.Arrivals, r.Spans = nil, nil
			for seq := range r.Observations {
				sampled := random.IntN(100) < 35
				r.arrive(0, seq, "cars", "v1").Traceparent = traceparent(seq, sampled)
				if sampled {
					r.export(seq)
				}
			}
		}),
		of("two-roots", "traces fall apart into two", traces, change(root, func(s *record.Span) { s.SpanID = "9" })),
		of("foreign-name", "spans bear the name of another Service", traces, change(root, func(s *record.Span) { s.Name = "hotels:8000/*" })),
		of("foreign-service", "spans are exported under another proxy's name", traces, change(root, func(s *record.Span) { s.Service = "gateway" })),
	}
}

// readings are defects that samples of the cluster show.
func readings() []Mutant {
	of := func(name, title, kind string, picks func(*record.Sample) bool, change func(*record.Sample)) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{cluster}, Kills: kills(kind), spoil: func(r *Recording, _ *rand.Rand) {
			for i := range r.Samples {
				if picks(&r.Samples[i]) {
					change(&r.Samples[i])
				}
			}
		}}
	}
	series := func(name string) func(*record.Sample) bool {
		return func(s *record.Sample) bool { return s.Series == name }
	}
	late := func(s *record.Sample) bool { return s.Series == "hpa/desired" && s.At.Sub(epoch()) < 50*time.Second }
	end := func(s *record.Sample) bool { return s.Series == "hpa/desired" && s.At.Sub(epoch()) > 55*time.Second }
	return []Mutant{
		of("maximum-6", "the autoscaler's maximum is 6", claim.KindSeries, series("hpa/max"), func(s *record.Sample) { s.Value = 6 }),
		of("target-ignored", "the autoscaler never wants a third replica", claim.KindSeries, series("hpa/desired"), func(s *record.Sample) { s.Value = 2 }),
		of("scaled-late", "the third replica is wanted 50 s after the load", claim.KindSeries, late, func(s *record.Sample) { s.Value = 2 }),
		of("scaled-back", "the third replica is gone in the end", claim.KindSeries, end, func(s *record.Sample) { s.Value = 2 }),
		of("beyond-5", "for a moment six replicas are wanted", claim.KindSeries, func(s *record.Sample) bool {
			return s.Series == "hpa/desired" && s.At.Sub(epoch()) == 40*time.Second
		}, func(s *record.Sample) { s.Value = 6 }),
		of("not-enrolled", "a Service has no waypoint", claim.KindRows, series("table/travel-agency/hotels"), func(s *record.Sample) { s.Text = "None 1/1" }),
		of("row-missing", "a Service is not in the table", claim.KindRows, series("table/travel-agency/hotels"), func(s *record.Sample) { s.Series = "other" }),
		of("row-unwanted", "the table has a Service too many", claim.KindRows, series("hpa/max"), func(s *record.Sample) { s.Series = "table/travel-agency/cars-old" }).with(claim.KindSeries),
	}
}

// with adds a kind that may fall besides.
func (m Mutant) with(kinds ...string) Mutant {
	m.Also = append(m.Also, kinds...)
	return m
}

// silencing makes a mutant one about which nothing can be said: two accounts of
// the same requests differ, and either may be wrong.
func (m Mutant) silencing(kinds ...string) Mutant {
	m.Kills, m.Silences = nil, kinds
	return m
}

// failures are defects of the way back from an outage.
func failures() []Mutant {
	of := func(name, title string, kinds []string, from, till time.Duration, n int) Mutant {
		return Mutant{Name: name, Title: title, Recordings: []string{outage}, Kills: kinds, spoil: func(r *Recording, _ *rand.Rand) {
			r.every(func(o *record.Observation) bool { return o.Intended >= from && o.Intended < till && o.Seq%n == 0 }, reset)
		}}
	}
	recovery, both := kills(claim.KindRecovery), kills(claim.KindRecovery, claim.KindBound)
	return []Mutant{
		of("back-late", "requests still fail 1.5 s after the fault is over", both, outageTill, outageTill+1500*time.Millisecond, 1),
		of("never-back", "one request in twenty fails ever after", both, outageTill, time.Hour, rarely),
		of("limps", "one request in ten fails until a second and a half after the fault", both, outageTill, outageTill+1500*time.Millisecond, 10),
		of("relapse", "every request fails for half a second, two seconds after the fault", kills(claim.KindBound), outageTill+2*time.Second, outageTill+2500*time.Millisecond, 1).with(recovery...),
	}
}
