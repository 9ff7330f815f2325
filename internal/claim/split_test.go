package claim

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// splitScene is a run of the 70/30 split with both oracles.
func splitScene(hits int, answer func(*record.Observation)) *scene {
	s := new(scene)
	s.addLedger(s.addStage("s", hits, answer))
	return s
}

func splitPromise(t testing.TB, params SplitParams) record.Promise {
	t.Helper()
	return plan(t, record.Promise{Kind: KindSplit, Params: Params(params)})
}

func TestASplitIsHeldAgainstItsTrueShare(t *testing.T) {
	p := splitPromise(t, split7030)
	require.Equal(t, 5837, p.N)
	require.Equal(t, []record.Design{{Of: "v1", N: 5837, Lo: 3910, Hi: 4259, FalseAlarm: p.Design[0].FalseAlarm, Miss: p.Design[0].Miss, Median: 1615}}, p.Design)
	for share, want := range map[int]record.Outcome{
		700: record.Held, 650: record.Violated, 750: record.Violated, 600: record.Violated, 500: record.Violated, 1000: record.Violated, 0: record.Violated,
	} {
		v := splitScene(p.N, picker(uint64(share), share)).judge(t, p)
		assert.Equal(t, want, v.Verdict, "share %d: %s", share, v.Detail)
		if want == record.Violated {
			assert.Equal(t, record.Mesh, v.Blame)
			assert.NotEmpty(t, v.FirstOdd)
			assert.NotEmpty(t, v.P)
			assert.Equal(t, "v1 is too "+map[bool]string{true: "low", false: "high"}[share < 700], v.Signature)
		}
		assert.Equal(t, "v1 70 %, v2 30 %", v.Declared)
		assert.Contains(t, v.Allowed, "at alpha 1e-06")
	}
}

// TestTheCapIsTheBorder runs paths that stay open to the last request and end
// on either side of the band.
func TestTheCapIsTheBorder(t *testing.T) {
	p := splitPromise(t, split7030)
	for hits, want := range map[int]record.Outcome{3909: record.Violated, 3910: record.Held, 4259: record.Held, 4260: record.Violated} {
		s := splitScene(p.N, func(o *record.Observation) {
			if (o.Seq+1)*hits/p.N == o.Seq*hits/p.N {
				o.Version = "v2"
			}
		})
		v := s.judge(t, p)
		assert.Equal(t, want, v.Verdict, "%d hits: %s", hits, v.Detail)
		assert.Equal(t, p.N, v.N)
		assert.Contains(t, v.Observed, fmt.Sprintf("(%d/5837)", hits))
	}
}

func TestOneReplicaWithAStaleSplit(t *testing.T) {
	p := splitPromise(t, split7030)
	fresh, stale := picker(5, 700), picker(6, 500)
	s := splitScene(p.N, func(o *record.Observation) {
		if o.Conn%2 == 1 {
			stale(o)
		} else {
			fresh(o)
		}
	})
	v := s.judge(t, p)
	require.Equal(t, record.Violated, v.Verdict)
	assert.Contains(t, v.FirstOdd, "waypoint-b → cars-v2")
	text := Explain(v, &s.run)
	assert.Regexp(t, `per waypoint replica: waypoint-a 7\d\.\d %, waypoint-b [45]\d\.\d %`, text)
	independence := plan(t, record.Promise{Kind: KindIndependence, Params: Params(IndependenceParams{Version: "v1", Over: []string{OverReplicas}})})
	w := splitScene(independence.N, func(o *record.Observation) {
		if o.Conn%2 == 1 {
			stale(o)
		} else {
			fresh(o)
		}
	}).judge(t, independence)
	assert.Equal(t, record.Violated, w.Verdict)
	assert.Contains(t, w.Detail, "waypoint replicas split differently")
}

func TestAnArmOfWeightZero(t *testing.T) {
	p := splitPromise(t, SplitParams{Service: "cars", Arms: []Arm{{"v1", 100}, {"v2", 0}}})
	s := splitScene(p.N, nil)
	v := s.judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
	assert.Equal(t, p.N, v.N, "nothing is decided before the last request")
	hit := splitScene(p.N, func(o *record.Observation) {
		if o.Seq == 77 {
			o.Version, o.Pod = "v2", "cars-v2-x"
		}
	}).judge(t, p)
	assert.Equal(t, record.Violated, hit.Verdict)
	assert.Contains(t, hit.FirstOdd, "#77 ")
	assert.Contains(t, hit.Detail, "v2 1 of")
	short := splitScene(p.N-1, nil).judge(t, p)
	assert.Equal(t, record.Inconclusive, short.Verdict)
}

func TestThreeArms(t *testing.T) {
	params := SplitParams{Service: "cars", Arms: []Arm{{"v1", 60}, {"v2", 30}, {"v3", 10}, {"v4", 0}}}
	p := splitPromise(t, params)
	require.Len(t, p.Design, 3)
	arms := func(shares [3]int) func(*record.Observation) {
		return func(o *record.Observation) {
			at := o.Seq * 7919 % 1000
			switch {
			case at < shares[0]:
			case at < shares[0]+shares[1]:
				o.Version = "v2"
			default:
				o.Version = "v3"
			}
		}
	}
	v := splitScene(p.N, arms([3]int{600, 300, 100})).judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
	v = splitScene(p.N, arms([3]int{540, 360, 100})).judge(t, p)
	assert.Equal(t, record.Violated, v.Verdict)
	assert.Contains(t, v.Signature, "v1 is too low")
}

func TestAnswersFromNobodyDeclared(t *testing.T) {
	p := splitPromise(t, split7030)
	for name, spoil := range map[string]func(*record.Observation){
		"unknown version": func(o *record.Observation) { o.Version = "v9" },
		"another service": func(o *record.Observation) { o.Service = "hotels" },
		"no version":      func(o *record.Observation) { o.Version = ""; o.Status = 503 },
		"reset":           func(o *record.Observation) { o.Class, o.Version = record.ClassReset, "" },
	} {
		pick := picker(8, 700)
		v := splitScene(p.N, func(o *record.Observation) {
			if pick(o); o.Seq == 1200 {
				spoil(o)
			}
		}).judge(t, p)
		assert.Equal(t, record.Violated, v.Verdict, name)
		assert.Contains(t, v.FirstOdd, "#1200 ", name)
	}
}

func TestTheTwoOraclesMustAgree(t *testing.T) {
	p := splitPromise(t, split7030)
	sound := splitScene(p.N, picker(9, 700))
	other := map[string]string{"v1": "v2", "v2": "v1"}
	for name, c := range map[string]struct {
		spoil   func(*scene)
		want    record.Outcome
		blame   record.Blame
		mention string
	}{
		"ledger lost one":        {func(s *scene) { s.arrivals = s.arrivals[1:] }, record.Inconclusive, record.Harness, "in no pod's ledger"},
		"ledger is empty":        {func(s *scene) { s.arrivals = nil }, record.Inconclusive, record.Harness, "in no pod's ledger"},
		"oracles contradict":     {func(s *scene) { s.arrivals[5].Version = other[s.arrivals[5].Version] }, record.Inconclusive, record.Harness, "one of the two oracles is wrong"},
		"delivered to both":      {func(s *scene) { s.arrive(0, 5, "cars", other[s.arrivals[5].Version]) }, record.Violated, record.Mesh, "more than one version"},
		"delivered twice":        {func(s *scene) { s.arrive(0, 5, "cars", s.arrivals[5].Version) }, record.Held, "", ""},
		"another service's copy": {func(s *scene) { s.arrive(0, 5, "cars-v2", "v2") }, record.Held, "", ""},
		"log lines":              {func(s *scene) { s.arrive(0, 5, "cars", "v2").Source = "log" }, record.Held, "", ""},
	} {
		s := sound.clone()
		c.spoil(s)
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Equal(t, c.blame, v.Blame, name)
		assert.Contains(t, v.Detail, c.mention, name)
	}
	alone := split7030
	alone.HeaderOnly = true
	s := sound.clone()
	s.arrivals = nil
	assert.Equal(t, record.Held, s.judge(t, splitPromise(t, alone)).Verdict)
}

func TestTooFewConnections(t *testing.T) {
	p := splitPromise(t, split7030)
	pick := picker(10, 700)
	for name, c := range map[string]struct {
		change  func(*record.Observation)
		params  func(*SplitParams)
		want    record.Outcome
		mention string
	}{
		"31 connections": {func(o *record.Observation) { o.Client, o.Conn = 0, o.Seq%31 }, nil, record.Inconclusive, "31 client connections, at least 32"},
		"32 connections": {func(o *record.Observation) { o.Client, o.Conn = 0, o.Seq%32 }, nil, record.Held, ""},
		"7 by a replica": {func(o *record.Observation) {
			o.Client, o.Conn, o.Peer = 0, o.Seq%40, map[bool]string{true: "10.0.0.2:1", false: "10.0.0.1:1"}[o.Seq%40 < 7]
		}, nil, record.Inconclusive, "waypoint-b by 7 connections, at least 8"},
		"one answer of none, and few": {func(o *record.Observation) {
			o.Client, o.Conn = 0, o.Seq%31
			if o.Seq == 5 {
				o.Status, o.Version = 500, ""
			}
		}, nil, record.Violated, "answered by no declared version"},
		"one replica of two": {func(o *record.Observation) { o.Peer = "10.0.0.1:1" }, nil, record.Inconclusive, "1 waypoint replicas"},
		"none asked for": {
			func(o *record.Observation) { o.Client, o.Conn, o.Peer = 0, 0, "10.0.0.1:1" },
			func(p *SplitParams) { p.MinConnections, p.MinPerReplica, p.Replicas = -1, -1, 0 }, record.Held, "",
		},
	} {
		promise := p
		if c.params != nil {
			params := split7030
			c.params(&params)
			promise = splitPromise(t, params)
		}
		v := splitScene(p.N, func(o *record.Observation) { pick(o); c.change(o) }).judge(t, promise)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Contains(t, v.Detail, c.mention, name)
	}
}

func TestOtherTargetsAreNotCounted(t *testing.T) {
	params := split7030
	params.Targets = []string{"main"}
	p := splitPromise(t, params)
	s := new(scene)
	pick := picker(11, 700)
	s.addStage("s", 2*p.N, func(o *record.Observation) {
		if o.Target = o.Seq % 2; o.Target == 1 {
			o.Version = "v7"
			return
		}
		pick(o)
	})
	s.run.Stages[0].Load.Targets = append(s.run.Stages[0].Load.Targets, record.Target{Name: "other"})
	s.addLedger(0)
	v := s.judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
}

func TestIndependence(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindIndependence, Params: Params(IndependenceParams{Version: "v1"})})
	assert.InDelta(t, 6590, p.N, 600) // three aspects divide alpha
	random := rand.New(rand.NewPCG(13, 1))
	for name, c := range map[string]struct {
		pick    func(o *record.Observation) bool
		mention string
	}{
		"sticky connections": {func(o *record.Observation) bool {
			o.Client, o.Conn = 0, random.IntN(64)
			return o.Conn < 45
		}, "connections stick"},
		"round robin":        {func(o *record.Observation) bool { return "ABAAABAABA"[o.Seq%10] == 'A' }, "alternate"},
		"eight round robins": {func(o *record.Observation) bool { return "ABAAABAABA"[(o.Seq/8+o.Seq%8*3)%10] == 'A' }, ""},
		"long stretches":     {func(o *record.Observation) bool { return o.Seq/20%10 < 7 }, "sticks to the previous"},
	} {
		s := splitScene(p.N, func(o *record.Observation) {
			if !c.pick(o) {
				o.Version = "v2"
			}
		})
		v := s.judge(t, p)
		assert.Equal(t, record.Violated, v.Verdict, "%s: %s", name, v.Detail)
		assert.Contains(t, v.Detail, c.mention, name)
	}
	// The totals of a sticky pick are right: the split alone would be content.
	few := splitScene(p.N-1, picker(12, 700)).judge(t, p)
	assert.Equal(t, record.Inconclusive, few.Verdict)
	oneWay := splitScene(p.N, nil).judge(t, p)
	assert.Equal(t, record.Inconclusive, oneWay.Verdict)
}
