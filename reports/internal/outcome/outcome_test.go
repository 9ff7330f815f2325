package outcome

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

func verdicts(outcomes ...record.Outcome) []record.Verdict {
	var out []record.Verdict
	for _, o := range outcomes {
		out = append(out, record.Verdict{Verdict: o})
	}
	return out
}

func TestSentence(t *testing.T) {
	for name, test := range map[string]struct {
		outcomes []record.Outcome
		want     string
		worst    record.Outcome
	}{
		"nothing judged": {nil, "No promise was judged, so nothing is proven.", record.Inconclusive},
		"all held":       {[]record.Outcome{record.Held, record.Held}, "All 2 promises held.", record.Held},
		"one violated": {
			[]record.Outcome{record.Held, record.Violated},
			"1 of 2 promises held and 1 was violated.", record.Violated,
		},
		"each kind": {
			[]record.Outcome{record.Held, record.Violated, record.Violated, record.Inconclusive, record.ViolatedKnown, record.Unsupported},
			"1 of 6 promises held, 2 were violated, 1 was inconclusive, 1 deviates in a way that is known and listed and 1 could not be shown in this environment.",
			record.Violated,
		},
		"an outcome from nowhere is not green": {
			[]record.Outcome{record.Held, ""},
			"1 of 2 promises held and 1 without a readable verdict.", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tally := Count(verdicts(test.outcomes...))
			assert.Equal(t, test.want, tally.Sentence())
			assert.Equal(t, test.worst, tally.Worst())
		})
	}
}

func TestRankAgreesWithRecord(t *testing.T) {
	for i, worse := range All() {
		for _, better := range All()[i:] {
			assert.Equal(t, worse, record.Worst(better, worse))
			assert.LessOrEqual(t, Rank(worse), Rank(better))
		}
	}
	assert.Equal(t, 0, Rank("no outcome"))
}

func TestSignsAndSlugsDiffer(t *testing.T) {
	signs, slugs := map[string]bool{}, map[string]bool{}
	for _, o := range All() {
		signs[Sign(o)], slugs[Slug(o)] = true, true
	}
	assert.Len(t, signs, len(All()))
	assert.Len(t, slugs, len(All()))
}

func TestJudgedFollowsThePlanAndForgetsNothing(t *testing.T) {
	run := &record.Run{
		Plan: record.Plan{Promises: []record.Promise{{ID: "a"}, {ID: "b"}, {ID: "c"}}},
		Verdicts: []record.Verdict{
			{ID: "stranger", Verdict: record.Violated},
			{ID: "c", Verdict: record.Held},
			{ID: "a", Verdict: record.Held},
		},
	}
	var ids []string
	for _, v := range Judged(run) {
		ids = append(ids, v.ID+" "+string(v.Verdict))
	}
	assert.Equal(t, []string{"a held", "b inconclusive", "c held", "stranger violated"}, ids)
}

func TestStandInIsAboutTheNodeProxyOnly(t *testing.T) {
	run := &record.Run{
		Environment: record.Environment{NodeProxy: record.StandIn},
		Plan:        record.Plan{Promises: []record.Promise{{ID: "l4", AboutNodeProxy: true}, {ID: "split"}}},
	}
	assert.True(t, StandIn(run, record.Verdict{ID: "l4"}))
	assert.False(t, StandIn(run, record.Verdict{ID: "split"}))
	run.Environment.NodeProxy = "ztunnel 1.31.0"
	assert.False(t, StandIn(run, record.Verdict{ID: "l4"}))
}
