package claim

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

func TestSkippedRequestsMatterToMostClaims(t *testing.T) {
	for kind, c := range soundCases(t) {
		s := c.scene.clone()
		s.observations = append(s.observations[:100:100], s.observations[101:]...)
		h := &s.run.Stages[0].Health
		h.Sent, h.Completed, h.Skipped = h.Sent-1, h.Completed-1, 1
		want := record.Inconclusive
		if kinds()[kind].gaps || kind == KindShare || kind == KindServing {
			want = record.Held
		}
		v := s.judge(t, c.promise)
		assert.Equal(t, want, v.Verdict, "%s: %s", kind, v.Detail)
	}
}

// TestOrderOfTheRecordDoesNotMatter: a record in completion order, or shuffled,
// gives the same verdict word for word.
func TestOrderOfTheRecordDoesNotMatter(t *testing.T) {
	for kind, c := range soundCases(t) {
		want := c.scene.judge(t, c.promise)
		turned := c.scene.clone()
		for i, j := 0, len(turned.observations)-1; i < j; i, j = i+1, j-1 {
			turned.observations[i], turned.observations[j] = turned.observations[j], turned.observations[i]
		}
		for i, j := 0, len(turned.arrivals)-1; i < j; i, j = i+1, j-1 {
			turned.arrivals[i], turned.arrivals[j] = turned.arrivals[j], turned.arrivals[i]
		}
		assert.Equal(t, want, turned.judge(t, c.promise), kind)
	}
}

func TestAnEarlyStopIsNoFault(t *testing.T) {
	c := soundCases(t)[KindSplit]
	s := c.scene.clone()
	enough := c.promise.N - 100
	s.observations = s.observations[:enough]
	h := &s.run.Stages[0].Health
	h.Sent, h.Completed, h.Stopped = enough, enough, true
	assert.Equal(t, record.Held, s.judge(t, c.promise).Verdict)
	h.Stopped = false
	assert.Equal(t, record.Inconclusive, s.judge(t, c.promise).Verdict)
	h.Stopped = true
	h.Sent, h.Completed, s.observations = 100, 100, s.observations[:100]
	v := s.judge(t, c.promise)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Contains(t, v.Reason, "undecided")
}

func TestOnlyTheBrokenStageIsInconclusive(t *testing.T) {
	c := soundCases(t)[KindTable]
	c.scene.addStage("other", 200, nil)
	c.scene.walk = &record.Incomplete{Stages: []int{1}, Cause: errors.New("cut")}
	other := c.promise
	other.Stages = []string{"other"}
	verdicts, err := Judge(t.Context(), c.scene, []record.Promise{c.promise, other})
	require.Error(t, err)
	assert.Equal(t, record.Held, verdicts[0].Verdict)
	assert.Equal(t, record.Inconclusive, verdicts[1].Verdict)
}

// brittle is a claim that panics when it is shown something.
type brittle struct{ deaf }

func (brittle) observe(int, *record.Observation) { panic("no such luck") }
func (brittle) verdict(v *record.Verdict)        { held(v, "all is well") }

func TestAPanicIsNeverAVerdict(t *testing.T) {
	s := new(scene)
	s.addStage("s", 10, nil)
	r := &reading{run: &s.run, promise: record.Promise{ID: "x"}, claim: brittle{}, indexes: []int{0}, kind: kind{load: true}}
	p := &panel{run: &s.run, readings: []*reading{r}, seats: [][]seat{{{reading: r}}}, attendance: []*attendance{{stage: &s.run.Stages[0]}}}
	require.NoError(t, s.Walk(t.Context(), p))
	v := r.close(p, nil)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Equal(t, record.Harness, v.Blame)
	assert.Contains(t, v.Reason, "no such luck")
	assert.Contains(t, v.Reason, "internal/claim/mutants_test.go")
}

func TestSilenceIsInconclusive(t *testing.T) {
	v := settle(record.Verdict{})
	assert.Equal(t, record.Inconclusive, v.Verdict)
}

func TestPromisesThatCannotBeJudged(t *testing.T) {
	s := new(scene)
	s.addStage("s", 10, nil)
	for name, p := range map[string]record.Promise{
		"unknown kind":      {Kind: "faith"},
		"no parameters":     {Kind: KindSplit},
		"misspelt field":    {Kind: KindEvery, Params: []byte(`{"want":{"statsu":200}}`)},
		"no such target":    {Kind: KindEvery, Params: Params(EveryParams{Targets: []string{"x"}})},
		"no arms":           {Kind: KindSplit, Params: Params(SplitParams{})},
		"all weights zero":  {Kind: KindSplit, Params: Params(SplitParams{Arms: []Arm{{"v1", 0}}})},
		"negative weight":   {Kind: KindSplit, Params: Params(SplitParams{Arms: []Arm{{"v1", -1}, {"v2", 2}}})},
		"empty predicate":   {Kind: KindShare, Params: Params(ShareParams{PerMille: 500})},
		"one stage of two":  {Kind: KindShift, Params: Params(ShiftParams{Quantiles: []int{500}, BelowMs: 5})},
		"no bound":          {Kind: KindLatency, Params: Params(LatencyParams{})},
		"empty bound":       {Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 500}}})},
		"row missing":       {Kind: KindTable, Params: Params(TableParams{})},
		"rows twice":        {Kind: KindTable, Params: Params(TableParams{Rows: []Row{{Target: "main"}, {Target: "main"}}})},
		"mirror is primary": {Kind: KindMirror, Params: Params(MirrorParams{Primary: Selector{Service: "a"}, Mirror: Selector{Service: "a"}})},
		"unknown oracle":    {Kind: KindMirror, Params: Params(MirrorParams{Mirror: Selector{Service: "a"}, Oracle: "tea leaves"})},
		"unknown aspect":    {Kind: KindIndependence, Params: Params(IndependenceParams{Over: []string{"moon"}})},
		"one pod":           {Kind: KindBalance, Params: Params(BalanceParams{Pods: 1})},
		"no condition":      {Kind: KindSeries, Params: Params(SeriesParams{})},
		"empty condition":   {Kind: KindSeries, Params: Params(SeriesParams{Conditions: []SeriesCondition{{Series: "x"}}})},
		"empty range":       {Kind: KindSeries, Params: Params(SeriesParams{Conditions: []SeriesCondition{{Series: "x", Never: &Range{}}}})},
		"no rows":           {Kind: KindRows, Params: Params(RowsParams{Series: "x"})},
		"no window":         {Kind: KindBound, Params: Params(BoundParams{Window: "fault"})},
		"odd connections":   {Kind: KindBound, Params: Params(BoundParams{Connections: "old"})},
		"no fault window":   {Kind: KindRecovery, Params: Params(RecoveryParams{Window: "fault"})},
	} {
		p.Stages, p.Alpha, p.Beta, p.Delta = []string{"s"}, 1e-6, 1e-3, 50
		v := s.judge(t, p)
		assert.Equal(t, record.Inconclusive, v.Verdict, name)
		assert.Equal(t, record.Harness, v.Blame, name)
	}
	noStage := s.judge(t, record.Promise{Kind: KindEvery, Params: Params(EveryParams{})})
	assert.Equal(t, record.Inconclusive, noStage.Verdict)
}

func TestWhatTheEnvironmentLacksIsUnsupported(t *testing.T) {
	c := soundCases(t)[KindTable]
	c.promise.Requires, c.promise.AboutNodeProxy = []string{"retry"}, true
	c.scene.run.Environment = record.Environment{NodeProxy: record.StandIn}
	v := c.scene.judge(t, c.promise)
	assert.Equal(t, record.Held, v.Verdict)
	assert.True(t, v.StandIn)
	c.scene.run.Environment.Lacks = []record.Lack{{Ability: "retry", Reason: "standard channel CRDs"}}
	v = c.scene.judge(t, c.promise)
	assert.Equal(t, record.Unsupported, v.Verdict)
	assert.Contains(t, v.Reason, "standard channel CRDs")
}

// A generator that is eleven milliseconds late spoils a measurement of time and
// no other claim.
func TestOnlyClaimsAboutTimeNeedAPunctualGenerator(t *testing.T) {
	for kind, c := range soundCases(t) {
		s := c.scene.clone()
		s.run.Stages[0].Health.LagP99 = 11 * time.Millisecond
		want := record.Held
		if kinds()[kind].timed {
			want = record.Inconclusive
		}
		assert.Equal(t, want, s.judge(t, c.promise).Verdict, kind)
	}
}
