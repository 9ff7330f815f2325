package sample

import (
	"math/rand/v2"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// abort is fault injection: a tenth of the requests is answered by the waypoint.
func abort() scene {
	p := promise("faults/abort-10", "a tenth of the requests is answered 418", "share", `{"of":{"status":418},"perMille":100,"label":"status 418"}`)
	p.N, p.Design = 2900, []record.Design{{Of: "status 418", N: 2900, Lo: 210, Hi: 370, FalseAlarm: 1e-6, Miss: 1e-3, Median: 900}}
	every := promise("faults/abort-10-others", "whoever is not aborted is answered 200", "every", `{"want":{"status":200}}`)
	every.Stages = p.Stages
	return scene{
		stage: stage(p.ID, "applied", 200, 6*time.Second), promises: []record.Promise{p, every},
		verdicts: []record.Verdict{judge(p, record.Held, record.Verdict{
			N: 1200, Declared: "status 418 10 %", Observed: "status 418 9.8 % (117/1200)", Allowed: "60..184 of 1200 at alpha 1e-06",
			Detail: "the share is as declared, within 5 points",
		}), judge(every, record.Held, record.Verdict{
			N: 1200, Declared: "each request as wanted", Observed: "0 of 1200 requests odd", Allowed: "no exception", Detail: "no exception in 1200 requests",
			Figures: []record.Figure{{Name: "row all", Value: "1200 as wanted"}},
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			if rng.IntN(10) == 0 {
				x.answer(418, normal(rng), [3]string{})
				return
			}
			x.answer(200, normal(rng), travels)
			x.arrive(travels[0], travels[1], travels[2])
		},
	}
}

// traced exports what was sampled, but for one request in two hundred.
func traced() scene {
	p := promise("task3/tracing-50", "what is sampled is exported, whole", "traces", `{"minSpans":2}`)
	p.Unit = "trace"
	serving := promise("task8/serving", "both waypoint replicas serve", "serving", `{"atLeast":2}`)
	rows := promise("task2/services", "each Service names its waypoint", "rows", `{"series":"bound","rows":{"travel-agency/cars":"waypoint-travel-agency","travel-agency/hotels":"waypoint-travel-agency"}}`)
	serving.Stages, rows.Stages, rows.Unit = p.Stages, p.Stages, "sample"
	return scene{
		stage: stage(p.ID, "applied", 100, 8*time.Second), promises: []record.Promise{p, serving, rows},
		verdicts: []record.Verdict{judge(p, record.Violated, record.Verdict{
			Blame: record.Mesh, N: 800, Declared: "what is sampled is exported, whole", Observed: "4 of 391 sampled requests without spans", Allowed: "no exception",
			Detail: "sampled requests without spans", FirstOdd: "#200 (id 4f1c9a-200)",
		}), judge(serving, record.Held, record.Verdict{
			N: 800, Declared: "at least 2 waypoint replicas serve", Observed: "2 replicas serve", Allowed: "each reached by at least 8 connections", Detail: "2 replicas serve",
		}), judge(rows, record.Violated, record.Verdict{
			Blame: record.Mesh, N: 2, Declared: "bound has 2 rows", Observed: "2 rows", Detail: `travel-agency/hotels: "none", want "waypoint-travel-agency"`,
			Figures: []record.Figure{{Name: "travel-agency/cars", Value: "waypoint-travel-agency"}, {Name: "travel-agency/hotels", Value: "none"}},
		})},
		request: func(rng *rand.Rand, x *exchange) {
			through(rng, x)
			x.answer(200, normal(rng), travels)
			x.arrive(travels[0], travels[1], travels[2])
			sampled := rng.IntN(2) == 0
			x.trace(sampled, sampled && x.Seq%200 != 0)
		},
	}
}

// delayed is a latency before and under something that must not cost time.
func delayed() scene {
	s := delay()
	p := promise("faults/delay-cost", "a delay of some costs the others nothing", "shift", `{"quantiles":[500,900],"belowMs":25}`)
	p.Stages = []string{"faults/delay-400ms/applied", "retries/attempts-2/applied"}
	rate := promise("faults/delay-errors", "at most one request in a hundred fails", "bound", `{"budgetPpm":10000}`)
	rate.Stages = p.Stages[:1]
	s.promises = append(s.promises, p, rate)
	s.verdicts = append(s.verdicts, judge(p, record.Held, record.Verdict{
		N: 700, Declared: "no quantile grows by 25 ms", Observed: "p50 402 ms → 4.9 ms", Allowed: "below 25 ms", Detail: "every shift is shown to be below 25 ms",
	}), judge(rate, record.Held, record.Verdict{
		N: 1400, Declared: "at most 10000 errors per million", Observed: "0 errors in 1400 requests", Allowed: "upper bound ≤ 10000 per million", Detail: "the error rate is at most 4922 per million",
		Figures: []record.Figure{{Name: "upper bound per million", Value: "4921.9"}, {Name: "lower bound per million", Value: "0.0"}},
	}))
	return s
}
