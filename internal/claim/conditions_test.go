package claim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

func TestEveryConditionIsSeen(t *testing.T) {
	sound := record.Observation{
		Class: record.ClassOK, Status: 302, Service: "cars", Version: "v1", Server: "istio-envoy", Location: "http://cars:8000/x?q=1",
		Body: `{"city":"Rome","createdAt":"2026-01-01","n":1}`, Header: map[string]string{"x-a": "1"},
		Sent: time.Second, Done: time.Second + 500*time.Millisecond,
	}
	want := Conditions{
		Status: 302, Service: "cars", Version: "v1", Server: "istio-envoy", NotServer: "nginx", Location: "http://cars:8000/x?q=1",
		Body: `{"city":"Rome","createdAt":"1999","n":1}`, Mask: []string{"createdAt"}, Header: map[string]string{"x-a": "1"},
		HeaderAbsent: []string{"x-b"}, AtLeastMs: 490, AtMostMs: 600,
	}
	require.Empty(t, newChecker(want).odd(&sound))
	for mention, spoil := range map[string]func(*record.Observation){
		"ended as reset, want ok":             func(o *record.Observation) { o.Class = record.ClassReset },
		"silently sent again":                 func(o *record.Observation) { o.Replays = 1 },
		"status 301, want 302":                func(o *record.Observation) { o.Status = 301 },
		`service "hotels"`:                    func(o *record.Observation) { o.Service = "hotels" },
		`version "v2"`:                        func(o *record.Observation) { o.Version = "v2" },
		`server "envoy", want "istio-envoy"`:  func(o *record.Observation) { o.Server = "envoy" },
		`location "http://cars:8000/x", want`: func(o *record.Observation) { o.Location = "http://cars:8000/x" },
		`location "http://cars:8000/x/?q=1"`:  func(o *record.Observation) { o.Location = "http://cars:8000/x/?q=1" },
		`body "{\"city\":\"Paris\"`:           func(o *record.Observation) { o.Body = `{"city":"Paris","createdAt":"1","n":1}` },
		`body "{\"city\": \"Rome\"`:           func(o *record.Observation) { o.Body = `{"city": "Rome","createdAt":"1","n":1}` },
		`header x-a "2", want "1"`:            func(o *record.Observation) { o.Header = map[string]string{"x-a": "2"} },
		`header x-b "", want none`:            func(o *record.Observation) { o.Header = map[string]string{"x-a": "1", "x-b": ""} },
		"ended before 490 ms":                 func(o *record.Observation) { o.Done = o.Sent + 490*time.Millisecond - 1 },
		"ended after 600 ms":                  func(o *record.Observation) { o.Done = o.Sent + 600*time.Millisecond + 1 },
	} {
		o := sound
		spoil(&o)
		assert.Contains(t, newChecker(want).odd(&o), mention)
	}
	onBorder := sound
	for _, elapsed := range []time.Duration{490 * time.Millisecond, 600 * time.Millisecond} {
		onBorder.Done = onBorder.Sent + elapsed
		assert.Empty(t, newChecker(want).odd(&onBorder))
	}
	assert.Contains(t, newChecker(Conditions{NotServer: "istio-envoy"}).odd(&sound), "want another")
	assert.Contains(t, newChecker(Conditions{Location: "-"}).odd(&sound), "want none")
	replayed := sound
	replayed.Replays = 2
	assert.Empty(t, newChecker(Conditions{AllowReplays: true}).odd(&replayed))
	timeout := record.Observation{Class: record.ClassTimeout}
	assert.Empty(t, newChecker(Conditions{Class: "timeout"}).odd(&timeout))
}

func TestMaskedBodies(t *testing.T) {
	c := newChecker(Conditions{Mask: []string{"createdAt", "n"}})
	assert.Equal(t, `{"a":1,"createdAt": "*","b":[{"n":"*"}]}`, c.masked(`{"a":1,"createdAt": "x\"y","b":[{"n":-1.5e3}]}`))
	assert.Equal(t, `{"createdAt":{"x":1}}`, c.masked(`{"createdAt":{"x":1}}`), "only scalars are volatile")
}

func TestOneOddRequestIsEnough(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindEvery, Params: Params(EveryParams{Want: Conditions{Status: 200}})})
	assert.Equal(t, 6905, p.N)
	build := func(hits, odd int) record.Verdict {
		s := new(scene)
		s.addStage("s", hits, func(o *record.Observation) {
			if o.Seq == odd || o.Seq == odd+7 {
				o.Status = 503
			}
		})
		return s.judge(t, p)
	}
	assert.Equal(t, record.Held, build(p.N, -10).Verdict)
	assert.Equal(t, record.Inconclusive, build(p.N-1, -10).Verdict)
	v := build(p.N, 4711)
	assert.Equal(t, record.Violated, v.Verdict)
	assert.Equal(t, "status 503, want 200", v.Signature)
	assert.Contains(t, v.FirstOdd, "#4711 (id ids-4711)  client 7 → waypoint-a → cars-v1-x")
	assert.Contains(t, v.Observed, "2 of 6905 requests odd")
	failing := plan(t, record.Promise{Kind: KindEvery, Beta: .05, Params: Params(EveryParams{Want: Conditions{Status: 200}})})
	assert.Equal(t, 2995, failing.N)
}

func TestWhatArrivesAtTheBackend(t *testing.T) {
	want := EveryParams{Want: Conditions{Backend: &Backend{Of: Selector{Service: "cars"}, Path: "/cars", Host: "cars", Version: "v1"}}}
	p := plan(t, record.Promise{Kind: KindEvery, Delta: 10, Beta: .05, Params: Params(want)})
	sound := new(scene)
	sound.addLedger(sound.addStage("s", p.N, nil))
	for i := range sound.arrivals {
		sound.arrivals[i].Host = "cars"
	}
	for mention, spoil := range map[string]func(*scene){
		"":                            func(*scene) {},
		`path "/cars/", want "/cars"`: func(s *scene) { s.arrivals[9].Path = "/cars/" },
		`host "x", want "cars"`:       func(s *scene) { s.arrivals[9].Host = "x" },
		`version "v2", want "v1"`:     func(s *scene) { s.arrivals[9].Version = "v2" },
		"arrived 0 times, want 1": func(s *scene) {
			s.arrivals, s.observations[9].Pod = append(s.arrivals[:9:9], s.arrivals[10:]...), ""
		},
		"arrived 2 times, want 1": func(s *scene) { s.arrivals = append(s.arrivals, s.arrivals[9]) },
	} {
		s := sound.clone()
		spoil(s)
		v := s.judge(t, p)
		if mention == "" {
			assert.Equal(t, record.Held, v.Verdict, v.Detail)
			continue
		}
		assert.Equal(t, record.Violated, v.Verdict)
		assert.Contains(t, v.Signature, mention)
		assert.Contains(t, v.FirstOdd, "#9 ")
	}
	forgot := sound.clone() // a pod says that it answered, and its ledger that it did not
	forgot.arrivals = append(forgot.arrivals[:9:9], forgot.arrivals[10:]...)
	v := forgot.judge(t, p)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Equal(t, record.Harness, v.Blame)
	assert.Contains(t, v.Detail, "in no ledger of the pods that answered")
	none := plan(t, record.Promise{Kind: KindEvery, Delta: 10, Beta: .05, Params: Params(EveryParams{Want: Conditions{Backend: &Backend{Arrivals: ptr(0)}}})})
	assert.Equal(t, record.Violated, sound.judge(t, none).Verdict)
	sound.arrivals = nil
	assert.Equal(t, record.Held, sound.judge(t, none).Verdict)
}

func TestTables(t *testing.T) {
	params := TableParams{PerRow: 3, Rows: []Row{
		{"plain", Conditions{Location: "http://cars/a", Backend: &Backend{Arrivals: ptr(0)}}},
		{"slash", Conditions{Location: "http://cars/a/"}},
		{"root", Conditions{Status: 200, Backend: &Backend{Path: "/root"}}},
	}}
	p := plan(t, record.Promise{Kind: KindTable, Params: Params(params)})
	assert.Equal(t, 9, p.N)
	build := func(spoil func(*record.Observation)) *scene {
		s := new(scene)
		s.addStage("s", p.N, func(o *record.Observation) {
			o.Target = o.Seq % 3
			o.Location = []string{"http://cars/a", "http://cars/a/", ""}[o.Target]
			spoil(o)
		})
		s.run.Stages[0].Load.Targets = []record.Target{{Name: "plain"}, {Name: "slash"}, {Name: "root"}}
		for seq := 2; seq < p.N; seq += 3 {
			s.arrive(0, seq, "cars", "v1").Path = "/root"
		}
		return s
	}
	v := build(func(*record.Observation) {}).judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
	v = build(func(o *record.Observation) {
		if o.Target == 1 {
			o.Location = "http://cars/a"
		}
	}).judge(t, p)
	assert.Equal(t, record.Violated, v.Verdict)
	assert.Equal(t, `slash: location "http://cars/a", want "http://cars/a/"`, v.Signature)
	assert.Equal(t, "1 of 3 rows differ, 3 of 9 requests odd", v.Observed)
	few := build(func(o *record.Observation) { o.Target = o.Seq % 2 }).judge(t, p)
	assert.NotEqual(t, record.Held, few.Verdict)
	double := build(func(o *record.Observation) { // each of the row's requests is odd here and at the backend
		if o.Target == 2 {
			o.Status = 404
		}
	})
	for i := range double.arrivals {
		double.arrivals[i].Path = "/"
	}
	assert.Equal(t, "1 of 3 rows differ, 3 of 9 requests odd", double.judge(t, p).Observed)
	leaked := build(func(*record.Observation) {})
	leaked.arrive(0, 3, "cars", "v1")
	assert.Contains(t, leaked.judge(t, p).Signature, "plain: arrived 1 times, want 0")
}

func TestAttempts(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindAttempts, Delta: 10, Params: Params(AttemptsParams{Backend: Selector{Service: "cars"}, Exactly: 3, Status: 503})})
	sound := new(scene)
	sound.addStage("s", p.N, func(o *record.Observation) { o.Status = 503 })
	for range 3 {
		sound.addLedger(0)
	}
	assert.Equal(t, record.Held, sound.judge(t, p).Verdict)
	for name, c := range map[string]struct {
		spoil   func(*scene)
		want    record.Outcome
		mention string
	}{
		"one attempt fewer": {func(s *scene) { s.arrivals = s.arrivals[1:] }, record.Violated, "2 times, want 3"},
		"one attempt more":  {func(s *scene) { s.arrive(0, 5, "cars", "v1") }, record.Violated, "4 times, want 3"},
		"both are one odd request": {func(s *scene) {
			s.arrivals = s.arrivals[1:]
			s.observations[0].Status = 200
		}, record.Violated, fmt.Sprintf("1 of %d requests are odd", p.N)},
		"other status": {func(s *scene) { s.observations[8].Status = 200 }, record.Violated, "status 200, want 503"},
		"ledger gone":  {func(s *scene) { s.arrivals = nil }, record.Inconclusive, "ledger does not have it"},
		"never reached": {func(s *scene) {
			s.arrivals = nil
			for i := range s.observations {
				s.observations[i].Pod, s.observations[i].Service = "", ""
			}
		}, record.Violated, "0 times, want 3"},
		"of another service": {func(s *scene) { s.arrive(0, 5, "hotels", "v1") }, record.Held, ""},
	} {
		s := sound.clone()
		c.spoil(s)
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Contains(t, v.Detail, c.mention, name)
	}
}
