package sample

import (
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

var travels = [3]string{"travels", "v1", "travels-v1-66d8d-aaaaa"} //nolint:gochecknoglobals // a constant but for its type

// delay is fault injection: 400 ms for every request.
func delay() scene {
	p := promise("faults/delay-400ms", "an injected delay of 400 ms is 400 ms", "latency",
		`{"bounds":[{"quantile":10,"atLeastMs":395},{"quantile":990,"atMostMs":440}],"measure":"sent"}`)
	p.N = 1400
	return scene{
		stage: stage(p.ID, "applied", 100, 14*time.Second), promises: []record.Promise{p},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 1400, Declared: "p1 at least 395 ms, p99 at most 440 ms", Observed: "p1 401.1 ms, p99 413.0 ms",
			Allowed: "p1 >= 395 ms, p99 <= 440 ms, each shown with confidence 0.999", Detail: "the delay is as declared",
			Figures: []record.Figure{{Name: "p1 at least", Value: "400.8 ms"}, {Name: "p99 at most", Value: "418.2 ms"}},
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			x.answer(200, 400*time.Millisecond+normal(rng), travels)
			x.arrive(travels[0], travels[1], travels[2])
		},
	}
}

// autoscale is the HPA under load: two replicas become four; until then answers are slow.
func autoscale() scene {
	p := promise("task8/hpa", "the waypoint scales from 2 to at least 3 replicas and never above 5", "series",
		`{"conditions":[{"series":"hpa/waypoint-travel-portal/ready","reach":{"atLeast":3},"withinMs":120000,"never":{"above":5}}]}`)
	p.Unit = "sample"
	latency := promise("task8/hpa-latency", "requests stay fast while the waypoint scales", "latency",
		`{"bounds":[{"quantile":990,"atMostMs":250}]}`)
	latency.Stages = []string{p.ID + "/applied"}
	return scene{
		stage: stage(p.ID, "applied", 20, 150*time.Second), promises: []record.Promise{p, latency},
		windows: []record.Window{{Spec: p.ID, Name: "scaling", Start: after(48 * time.Second), End: after(82 * time.Second)}},
		events:  []record.Event{{At: after(48 * time.Second), Kind: "scaled", Object: "Deployment/waypoint-travel-portal", Detail: "2 to 4"}},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 75, Declared: "2, then at least 3 within 120 s, never above 5", Observed: "3 after 62 s, 4 at most",
			Allowed: "3..5 ready replicas", Detail: "the waypoint scaled and its new replicas serve",
		}), judge(latency, record.Inconclusive, record.Verdict{
			Blame: record.Harness, N: 3000, Declared: "p99 at most 250 ms", Observed: "p99 between 238 and 271 ms", Allowed: "p99 <= 250 ms",
			Detail: "3000 requests cannot tell whether p99 is below 250 ms", Reason: "neither shown at beta 1e-3 nor refuted at alpha 1e-6",
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			took := normal(rng)
			if x.Intended > 30*time.Second && x.Intended < 75*time.Second {
				took += time.Duration(rng.ExpFloat64() * float64(55*time.Millisecond))
			}
			x.answer(200, took, travels)
			x.arrive(travels[0], travels[1], travels[2])
		},
		samples: replicas,
	}
}

func replicas(rng *rand.Rand) []record.Sample {
	var out []record.Sample
	for t := time.Duration(0); t < 150*time.Second; t += 2 * time.Second {
		desired, ready, cpu := 2.0, 2.0, 30+20*rng.Float64()
		if t > 30*time.Second && t < 80*time.Second {
			cpu = 70 + 40*rng.Float64()
		}
		if t >= 48*time.Second {
			desired = 4
		}
		if t >= 62*time.Second {
			ready = 3
		}
		if t >= 82*time.Second {
			ready = 4
		}
		at := after(t)
		out = append(out, record.Sample{At: at, Series: "hpa/waypoint-travel-portal/ready", Value: ready},
			record.Sample{At: at, Series: "hpa/waypoint-travel-portal/desired", Value: desired},
			record.Sample{At: at, Series: "hpa/waypoint-travel-portal/cpuPercent", Value: cpu})
	}
	return out
}

// waypointKill is a chaos experiment: a replica dies under load.
func waypointKill() scene {
	id := "chaos/waypoint-kill"
	p := promise(id, "requests recover within 10 s when a waypoint replica is killed", "recovery",
		`{"window":"fault","withinMs":10000,"budgetPpm":1000}`)
	bound := promise("chaos/waypoint-kill-errors", "no request on a new connection fails when a waypoint replica is killed", "bound",
		`{"budgetPpm":0,"window":"fault","connections":"new"}`)
	bound.Stages = p.Stages
	return scene{
		stage: stage(id, "applied", 60, 70*time.Second), promises: []record.Promise{p, bound},
		windows: []record.Window{
			{Spec: id, Name: "baseline", End: after(20 * time.Second)},
			{Spec: id, Name: "fault", Fault: "pod-kill waypoint-travel-agency-6f7c-b", Start: after(20 * time.Second), End: after(32 * time.Second)},
			{Spec: id, Name: "recovery", Start: after(32 * time.Second), End: after(45 * time.Second)},
			{Spec: id, Name: "after", Start: after(45 * time.Second), End: after(70 * time.Second)},
		},
		events: []record.Event{{At: after(20 * time.Second), Kind: "fault injected", Object: "Pod/waypoint-travel-agency-6f7c-b"}},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 4200, Declared: "back within budget within 10 s", Observed: "back after 4 s", Allowed: "10 s", Detail: "the mesh recovered in time",
		}), judge(bound, record.Inconclusive, record.Verdict{
			Blame: record.Harness, N: 12, Declared: "no error", Observed: "0 errors of 12", Allowed: "0 of at least 2995",
			Detail: "too few new connections in the fault window to say anything", Reason: "12 of 2995 requests",
		})},
		request: kill,
	}
}

func kill(rng *rand.Rand, x *exchange) {
	stale := through(rng, x)
	faulty := x.Intended > 20*time.Second && x.Intended < 36*time.Second
	if !faulty || !stale || rng.IntN(3) > 0 {
		who := pick(rng, .5)
		x.answer(200, normal(rng), who)
		x.arrive(who[0], who[1], who[2])
		return
	}
	switch rng.IntN(4) {
	case 0:
		x.fail(record.ClassReset, 3*time.Millisecond)
	case 1:
		x.fail(record.ClassTimeout, 10*time.Second)
	case 2:
		x.fail(record.ClassRefused, time.Millisecond)
	default:
		x.answer(503, normal(rng), [3]string{})
	}
}

// balance is about the node proxy itself, which here is the stand-in.
func balance() scene {
	p := promise("l4/balance", "connections are spread evenly over two pods", "balance", `{"pods":2}`)
	p.Unit, p.N, p.AboutNodeProxy = "connection", 6655, true
	drain := promise("task9/ztunnel-drain", "old connections survive a restart of ztunnel", "bound", `{"budgetPpm":0}`)
	drain.Requires, drain.AboutNodeProxy, drain.Stages = []string{"ztunnel"}, true, nil
	s := stage(p.ID, "applied", 200, 8*time.Second)
	s.Load.Connections, s.Peers = "fresh", nil
	return scene{
		stage: s, promises: []record.Promise{p, drain},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 1600, Declared: "50 % each", Observed: "cars-v1-5d9c7b-x2x4k 50.4 % (806/1600)", Allowed: "stopped early", P: "0.79",
			Detail: "connections are spread evenly", StandIn: true,
		}), judge(drain, record.Unsupported, record.Verdict{
			Observed: "nothing", Detail: "needs ztunnel", Reason: "no registry answers and the image cannot be built from packages", StandIn: true,
		})},
		request: func(rng *rand.Rand, x *exchange) {
			who := pick(rng, .5)
			x.answer(200, normal(rng), who)
			x.arrive(who[0], who[1], who[2])
		},
	}
}

// retries reach the backend twice each.
func retries() scene {
	p := promise("retries/attempts-2", "a failing backend is tried twice", "attempts",
		`{"backend":{"service":"travels"},"exactly":2,"status":503}`)
	return scene{
		stage: stage(p.ID, "applied", 100, 7*time.Second), promises: []record.Promise{p},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 700, Declared: "2 attempts each", Observed: "700 of 700 with 2 attempts", Allowed: "all", Detail: "retries are as declared",
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			x.answer(503, 2*normal(rng), travels)
			x.arrive(travels[0], travels[1], travels[2])
			x.arrive(travels[0], travels[1], travels[2])
			x.arrivals[1].Attempt = 2
		},
	}
}
