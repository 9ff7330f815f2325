package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// A log's last lines have to say what broke, violations first.
func TestTheLastLinesSayWhatDidNotHold(t *testing.T) {
	run := &record.Run{ID: "r1", Verdicts: []record.Verdict{
		{ID: "task1/a", Verdict: record.Held},
		{ID: "task2/a", Verdict: record.Inconclusive, Detail: "the generator lagged"},
		{ID: "task6/rewrite/applied", Verdict: record.Violated, FirstOdd: "r1-17: 503"},
		{ID: "task7/a", Verdict: record.ViolatedKnown},
	}}
	err := unheld(run, "artifacts/r1")
	require.Error(t, err)
	assert.Regexp(t, `^violated: 2 of 4 promises did not hold: see artifacts/r1\ntask6/rewrite/applied: (?s).*r1-17: 503.*\ntask2/a: .*the generator lagged`, err.Error())
	assert.NotContains(t, err.Error(), "more")

	for i := range 4 {
		run.Verdicts = append(run.Verdicts, record.Verdict{ID: fmt.Sprintf("l4/%d", i), Verdict: record.Inconclusive})
	}
	assert.Regexp(t, `and 3 more$`, unheld(run, "artifacts/r1").Error())
	require.NoError(t, unheld(&record.Run{Verdicts: run.Verdicts[:1]}, ""))
}
