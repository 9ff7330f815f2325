package claim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// timed is a stage whose latencies are spread evenly over a range.
func (s *scene) timed(name string, hits int, from, to time.Duration) {
	s.addStage(name, hits, func(o *record.Observation) {
		o.Done = o.Intended + from + time.Duration(int64(o.Seq)*7919%int64(hits))*(to-from)/time.Duration(hits)
		o.First = o.Sent
	})
}

func TestLatencyBounds(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 10, AtLeastMs: 395}, {Quantile: 990, AtMostMs: 440}}})})
	assert.Equal(t, 2407, p.N)
	for name, c := range map[string]struct {
		from, to float64 // milliseconds
		want     record.Outcome
	}{
		"a delay of 400":      {400, 420, record.Held},
		"exactly the bounds":  {395, 440, record.Held},
		"too short":           {320, 340, record.Violated},
		"too long":            {440, 480, record.Violated},
		"p99 on the border":   {400, 440, record.Held},
		"between the bounds":  {400, 440.6, record.Inconclusive},
		"half of it is short": {390, 400, record.Violated},
	} {
		s := new(scene)
		s.timed("s", p.N, fromMilliseconds(c.from), fromMilliseconds(c.to))
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s (%s)", name, v.Detail, v.Observed)
		if c.want == record.Violated {
			assert.Contains(t, v.FirstOdd, " ms")
		}
	}
}

func TestTimeoutsAreNotFast(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 500, AtMostMs: 10}, {Quantile: 990, AtMostMs: 40}}})})
	build := func(timeouts int, at time.Duration) record.Verdict {
		s := new(scene)
		s.timed("s", p.N, time.Millisecond, 5*time.Millisecond)
		for i := range timeouts {
			o := &s.observations[i*7]
			o.Class, o.Done = record.ClassTimeout, o.Intended+at
		}
		return s.judge(t, p)
	}
	assert.Equal(t, record.Held, build(5, 50*time.Millisecond).Verdict)
	assert.Equal(t, record.Violated, build(100, 50*time.Millisecond).Verdict, "censored above the limit refutes it")
	assert.Equal(t, record.Inconclusive, build(100, 30*time.Millisecond).Verdict, "censored below the limit shows nothing")
}

func TestLatencyOfSome(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{
		Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 200}}, Where: &Predicate{FasterMs: 300}, Measure: FromSent,
	})})
	s := new(scene)
	s.addStage("s", 2*p.N, func(o *record.Observation) {
		if o.Seq%2 == 0 {
			o.Done += 400 * time.Millisecond
		}
	})
	v := s.judge(t, p)
	assert.Equal(t, record.Held, v.Verdict, v.Detail)
	assert.Equal(t, p.N, v.N)
	late := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 200}}, Where: &Predicate{Sampled: true}})})
	assert.Equal(t, record.Inconclusive, s.judge(t, late).Verdict)
}

// A tail that requests without the delay have as well is the machine's; a half
// that is late is not, and on a calm machine neither is the tail.
func TestATailOfTheMachineIsNotTheMeshs(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{
		Bounds: []QuantileBound{{Quantile: 500, AtMostMs: 420}, {Quantile: 990, AtMostMs: 440}}, Measure: FromSent, CalmMs: 20,
		Where: &Predicate{SlowerMs: 200, Measure: FromSent},
	})})
	// Half of the requests are delayed, and one in twenty of each half takes more.
	build := func(delay, tail, restTail time.Duration) record.Verdict {
		s := new(scene)
		s.addStage("s", 2*p.N+2, func(o *record.Observation) {
			more := restTail
			if o.Seq%2 == 0 {
				o.Done += delay
				more = tail
			}
			if o.Seq/2%20 == 0 {
				o.Done += more
			}
		})
		return s.judge(t, p)
	}
	const ms = time.Millisecond
	assert.Equal(t, record.Held, build(400*ms, 10*ms, 10*ms).Verdict)
	assert.Equal(t, record.Held, build(400*ms, 10*ms, 100*ms).Verdict, "what holds holds on any machine")
	assert.Equal(t, record.Violated, build(400*ms, 100*ms, 10*ms).Verdict, "only what is delayed has a tail")
	busy := build(400*ms, 100*ms, 100*ms)
	assert.Equal(t, record.Inconclusive, busy.Verdict)
	assert.Equal(t, record.Nature, busy.Blame)
	assert.Contains(t, busy.Reason, "not calm enough")
	assert.Equal(t, record.Violated, build(440*ms, 100*ms, 100*ms).Verdict, "half of it is late on any machine")

	all := p
	all.Params = Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 440}}, CalmMs: 20})
	assert.Equal(t, record.Inconclusive, new(scene).judge(t, all).Verdict)
	_, err := Plan([]record.Promise{all}, 1e-3)
	require.ErrorContains(t, err, "there are none to tell the machine by")
}

func TestShifts(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindShift, Stages: []string{"s", "with"}, Params: Params(ShiftParams{Quantiles: []int{500, 990}, BelowMs: 5})})
	for _, c := range []struct {
		shift, spread time.Duration
		want          record.Outcome
	}{
		{0, 0, record.Held},
		{4 * time.Millisecond, 0, record.Held},
		{5*time.Millisecond - 1, 0, record.Held},
		{5 * time.Millisecond, 0, record.Inconclusive},
		{5*time.Millisecond + 1, 0, record.Violated},
		{time.Second, 0, record.Violated},
		{-time.Second, 0, record.Held},
		{0, 200 * time.Millisecond, record.Inconclusive},
	} {
		s := new(scene)
		s.timed("s", p.N, 2*time.Second, 2*time.Second+c.spread)
		s.timed("with", p.N, 2*time.Second+c.shift, 2*time.Second+c.shift+c.spread)
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%v: %s", c, v.Detail)
	}
	busy := new(scene)
	busy.timed("s", p.N, 2*time.Second, 2*time.Second)
	busy.timed("with", p.N, 3*time.Second, 3*time.Second)
	busy.run.Stages[1].Health.Starved = 0.9
	v := busy.judge(t, p)
	assert.Equal(t, record.Inconclusive, v.Verdict)
	assert.Equal(t, record.Nature, v.Blame)
	assert.Contains(t, v.Reason, "waited for a processor for 90 % of the time")
	busy.run.Stages[1].Health.Starved = 0.5
	assert.Equal(t, record.Violated, busy.judge(t, p).Verdict)

	s := new(scene)
	s.timed("s", p.N, 0, 0)
	s.timed("with", 20, 0, 0)
	assert.Equal(t, record.Inconclusive, s.judge(t, p).Verdict)
}

func TestBalance(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindBalance, Unit: UnitConnection, Params: Params(BalanceParams{Pods: 2})})
	require.Equal(t, 6655, p.N)
	build := func(pod func(o *record.Observation) string) record.Verdict {
		s := new(scene)
		s.addStage("s", p.N, func(o *record.Observation) {
			o.Client, o.Conn = 0, o.Seq
			o.Pod = pod(o)
		})
		return s.judge(t, p)
	}
	random := rand.New(rand.NewPCG(20, 1))
	one := func(perMille int) func(*record.Observation) string {
		return func(*record.Observation) string {
			if random.IntN(1000) < perMille {
				return "a"
			}
			return "b"
		}
	}
	for perMille, want := range map[int]record.Outcome{500: record.Held, 440: record.Violated, 1000: record.Violated} {
		v := build(one(perMille))
		assert.Equal(t, want, v.Verdict, "%d: %s", perMille, v.Detail)
	}
	assert.Contains(t, build(func(o *record.Observation) string { return string(rune('a' + o.Seq%3)) }).Detail, "3 pods answered, 2 were declared")
	assert.Contains(t, build(func(o *record.Observation) string {
		o.Conn = o.Seq / 2
		return one(500)(o)
	}).Detail, "answered by different pods")
	assert.Contains(t, build(func(o *record.Observation) string {
		if o.Seq == 9 {
			o.Class = record.ClassReset
		}
		return one(500)(o)
	}).Detail, "1 requests got no answer")
	few := build(func(o *record.Observation) string {
		o.Conn = o.Seq / 40
		return string(rune('a' + o.Conn*7%5%2))
	})
	assert.Equal(t, record.Inconclusive, few.Verdict, "requests of one connection are one unit: %s", few.Detail)
}

func TestThreePods(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindBalance, Params: Params(BalanceParams{Pods: 3, Service: "cars"})})
	random := rand.New(rand.NewPCG(21, 1))
	for pods, want := range map[int]record.Outcome{3: record.Held, 2: record.Violated} {
		s := new(scene)
		s.addStage("s", p.N, func(o *record.Observation) {
			o.Client, o.Conn, o.Pod = 0, o.Seq, string(rune('a'+random.IntN(pods)))
		})
		v := s.judge(t, p)
		assert.Equal(t, want, v.Verdict, "%d: %s", pods, v.Detail)
	}
}

// What one look does not show a second may, and the load goes on until then.
func TestALatencyIsLookedAtTwice(t *testing.T) {
	p := plan(t, record.Promise{Kind: KindLatency, Params: Params(LatencyParams{Bounds: []QuantileBound{{Quantile: 990, AtMostMs: 440}}, Looks: 2})})
	assert.Equal(t, 2518, p.N)
	odd := func(first, second int) (settled []int, outcome record.Outcome) {
		s := new(scene)
		s.addStage("s", 2*p.N, func(o *record.Observation) {
			took := 400 * time.Millisecond
			if o.Seq < first || o.Seq >= p.N && o.Seq < p.N+second {
				took = 500 * time.Millisecond
			}
			o.First, o.Done = o.Sent, o.Intended+took
		})
		w, err := Watch(&s.run.Stages[0], []record.Promise{p})
		require.NoError(t, err)
		for i := range s.observations {
			if w.Observe(&s.observations[i]) {
				settled = append(settled, i+1)
				break
			}
		}
		return settled, s.judge(t, p).Verdict
	}
	at, _ := odd(2, 0)
	assert.Equal(t, []int{p.N}, at, "shown at once")
	at, outcome := odd(20, 0)
	assert.Equal(t, []int{2 * p.N}, at, "too many of the first half, few of both")
	assert.Equal(t, record.Held, outcome)
	at, outcome = odd(400, 0)
	assert.Equal(t, []int{p.N}, at, "refuted at once")
	assert.Equal(t, record.Violated, outcome)
	at, outcome = odd(2, 400)
	assert.Equal(t, []int{p.N}, at)
	assert.Equal(t, record.Violated, outcome, "what came after the look is judged as well")
}
