package sample

import (
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// normal is a healthy latency: a few milliseconds with a longish tail.
func normal(rng *rand.Rand) time.Duration {
	ms := 1.6 + rng.ExpFloat64()*0.9
	if rng.IntN(200) == 0 {
		ms += rng.ExpFloat64() * 14
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func through(rng *rand.Rand, x *exchange) (stale bool) {
	x.Server = "istio-envoy"
	if rng.IntN(2) == 0 {
		x.Peer = "10.244.1.7"
		return false
	}
	x.Peer = "10.244.2.9"
	return true
}

func pick(rng *rand.Rand, first float64) [3]string {
	if rng.Float64() < first {
		return [3]string{"cars", "v1", "cars-v1-5d9c7b-x2x4k"}
	}
	return [3]string{"cars", "v2", "cars-v2-7f6b5d-p8q9r"}
}

// splitStale is the run of the design: one of two waypoint replicas still
// serves 60/40, so the whole is off.
func splitStale() scene {
	p := promise("task4/split-70-30", "cars splits 70/30", "split",
		`{"service":"cars","arms":[{"version":"v1","weight":70},{"version":"v2","weight":30}],"replicas":2}`)
	p.N = 5837
	p.Design = []record.Design{{Of: "v1", N: 5837, Lo: 3910, Hi: 4259, FalseAlarm: 9.908e-7, Miss: 9.935e-4, Median: 1615}}
	return scene{
		stage: stage(p.ID, "applied", 200, 28*time.Second), promises: []record.Promise{p},
		verdicts: []record.Verdict{judge(p, record.Violated, record.Verdict{
			Blame: record.Mesh, N: 5600, Declared: "v1 70 %, v2 30 %",
			Observed: "v1 65.8 % (3682/5600), v2 34.2 % (1918/5600)", Allowed: "v1 3751..4086 of 5600", P: "7.8e-12",
			Detail:   "cars gets fewer answers from v1 than declared; waypoint replica b alone is off: look at what it serves",
			FirstOdd: "#17 (id 4f1c9a-17)  load-0 → waypoint-travel-agency-6f7c-b → cars-v2-7f6b5d-p8q9r",
			Figures: []record.Figure{
				{Name: "share of v1 through replica a", Value: "70.5 %"},
				{Name: "share of v1 through replica b", Value: "61.0 %"},
				{Name: "oracles that disagree", Value: "0"},
			},
			Evidence: []string{"evidence/task4-split-70-30/waypoint-b-config.json", "evidence/task4-split-70-30/route.yaml"},
			Config:   []string{"route cars-traffic-split generation 2: Accepted, ResolvedRefs, ResolvedWaypoints"},
		})},
		request: func(rng *rand.Rand, x *exchange) {
			share := .703
			if through(rng, x) {
				share = .599
			}
			who := pick(rng, share)
			x.answer(200, normal(rng), who)
			x.arrive(who[0], who[1], who[2])
		},
	}
}

func splitHealthy() scene {
	p := promise("task4/split-90-10", "cars splits 90/10", "split",
		`{"service":"cars","arms":[{"version":"v1","weight":90},{"version":"v2","weight":10}]}`)
	p.N = 2873
	picks := promise("task4/split-90-10-independence", "each pick is drawn by itself", "independence", `{"version":"v1"}`)
	picks.Stages = p.Stages
	return scene{
		stage: stage(p.ID, "applied", 200, 5*time.Second), promises: []record.Promise{p, picks},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 1000, Declared: "v1 90 %, v2 10 %", Observed: "v1 89.9 % (899/1000), v2 10.1 % (101/1000)",
			Allowed: "stopped early: within the held line of both arms", P: "0.92",
			Detail: "the split is as declared; the sequential test stopped at request 1000 of at most 2873",
		}), judge(picks, record.Held, record.Verdict{
			N: 1000, Declared: "each pick is independent of the previous one and of its connection", Observed: "v1 89.9 % (899/1000) in 181 runs",
			Allowed: "p > 3.3e-07 in each of 3 tests", Detail: "no dependence is seen",
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			who := pick(rng, .9)
			x.answer(200, normal(rng), who)
			x.arrive(who[0], who[1], who[2])
		},
	}
}

// redirect holds one row that deviates as listed.
func redirect() scene {
	p := promise("task5/prefix-table", "redirects follow the prefix table", "table", `{"rows":[]}`)
	p.N = 100
	return scene{
		stage: stage(p.ID, "applied", 50, 4*time.Second), promises: []record.Promise{p},
		verdicts: []record.Verdict{judge(p, record.ViolatedKnown, record.Verdict{
			Blame: record.Mesh, N: 200, Declared: "10 of 10 rows of the prefix table", Observed: "9 of 10 rows as declared",
			Detail: `row 2: location "http://cars:8000/xyz//bar" instead of "http://cars:8000/xyz/bar"`,
			Known:  "https://example.org/known/redirect-double-slash", Signature: `row-2: location "http://cars:8000/xyz//bar"`,
			FirstOdd: "#1 (id 4f1c9a-1)  load-1 → waypoint-travel-agency-6f7c-a",
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			x.answer(302, normal(rng), [3]string{})
			x.Location = "http://cars:8000/xyz/bar"
		},
	}
}

// mirror copies everything to v2, but for two that get lost and one that comes twice.
func mirror() scene {
	p := promise("task7/mirror-100", "every request to cars is mirrored once to v2", "mirror",
		`{"primary":{"service":"cars","version":"v1"},"mirror":{"service":"cars","version":"v2"},"perMille":1000}`)
	p.N, p.Delta = 6905, 1
	return scene{
		stage: stage(p.ID, "applied", 300, 23*time.Second), promises: []record.Promise{p},
		verdicts: []record.Verdict{judge(p, record.Violated, record.Verdict{
			Blame: record.Mesh, N: 6900, Declared: "each request once at v1 and once at v2",
			Observed: "6898 mirrored, 2 lost, 1 duplicated of 6900", Allowed: "0 lost, 0 duplicated",
			Detail: "copies are lost around request 3000: compare with the events of that second", FirstOdd: "#3000 (id 4f1c9a-3000): no copy arrived at cars v2",
			Figures: []record.Figure{{Name: "mirrored", Value: "6898"}, {Name: "lost", Value: "2"}, {Name: "duplicated", Value: "1"}},
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			v1, v2 := pick(rng, 1), pick(rng, 0)
			x.answer(200, normal(rng), v1)
			x.arrive(v1[0], v1[1], v1[2])
			if x.Seq != 3000 && x.Seq != 3007 {
				x.arrive(v2[0], v2[1], v2[2])
			}
			if x.Seq == 5120 {
				x.arrive(v2[0], v2[1], v2[2])
				x.arrivals[2].Attempt = 2
			}
		},
	}
}
