package gate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/gate"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/synthetic"
)

func policyOf(t *testing.T, text string) gate.Policy {
	t.Helper()
	policy, err := gate.ParsePolicy([]byte(text))
	require.NoError(t, err)
	return policy
}

func TestPoliciesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"must: [":                               "yaml",
		"musst: [a]":                            "musst not found",
		"must: []":                              "asks for nothing",
		"comparison: {alpha: 1}":                "alpha",
		"comparison: {quantiles: [1000]}":       "quantile 1000",
		"comparison: {toleranceMs: -1}":         "above zero",
		"budgets: {latency: [{stage: a}]}":      "latency budget",
		"budgets: {recovery: [{promise: a}]}":   "recovery budget",
		"budgets: {recovery: [{atMost: soon}]}": "time.Duration",
		"must: [" + strings.Repeat("[", 20_000): "read policy",
	} {
		_, err := gate.ParsePolicy([]byte(text))
		require.Error(t, err, "%.40s", text)
		assert.Contains(t, err.Error(), want)
	}
	_, err := gate.ParsePolicy(nil)
	require.NoError(t, err, "an empty policy is the default")
}

func verdict(id string, outcome record.Outcome) record.Verdict {
	return record.Verdict{ID: id, Verdict: outcome, Reason: "because"}
}

func rulings(d gate.Decision) map[string]gate.Ruling {
	found := map[string]gate.Ruling{}
	for _, row := range d.Rows {
		found[row.Subject] = row.Ruling
	}
	return found
}

func TestPromises(t *testing.T) {
	verdicts := []record.Verdict{
		verdict("a/1", record.Held), verdict("a/2", record.Unsupported), verdict("a/3", record.ViolatedKnown),
		verdict("b/1", record.Violated), verdict("b/2", record.Inconclusive), verdict("b/3", "green, honestly"),
	}
	standIn := verdict("a/4", record.Held)
	standIn.StandIn = true
	verdicts = append(verdicts, standIn)
	tests := map[string]struct {
		policy  string
		want    map[string]gate.Ruling
		outcome gate.Outcome
	}{
		"default": {"", map[string]gate.Ruling{
			"a/1": gate.Passed, "a/2": gate.Passed, "a/3": gate.Passed, "a/4": gate.Open,
			"b/1": gate.Failed, "b/2": gate.Open, "b/3": gate.Failed,
		}, gate.Refused},
		"only a, stand-in accepted": {"{must: [a/*], standIn: true}", map[string]gate.Ruling{
			"a/1": gate.Passed, "a/2": gate.Passed, "a/3": gate.Passed, "a/4": gate.Passed,
			"b/1": gate.Left, "b/2": gate.Left, "b/3": gate.Left,
		}, gate.Released},
		"nothing may be unsupported": {"{must: [a/1, a/2], mayBeUnsupported: []}", map[string]gate.Ruling{
			"a/1": gate.Passed, "a/2": gate.Open, "a/3": gate.Passed, "a/4": gate.Left,
			"b/1": gate.Left, "b/2": gate.Left, "b/3": gate.Left,
		}, gate.Undecided},
		"no known deviations": {"{must: [a/3], known: false}", map[string]gate.Ruling{
			"a/1": gate.Passed, "a/2": gate.Passed, "a/3": gate.Failed, "a/4": gate.Left,
			"b/1": gate.Left, "b/2": gate.Left, "b/3": gate.Left,
		}, gate.Refused},
		"asked for and gone": {"{must: [a/1, '*/9']}", map[string]gate.Ruling{
			"a/1": gate.Passed, "a/2": gate.Passed, "a/3": gate.Passed, "a/4": gate.Left,
			"b/1": gate.Left, "b/2": gate.Left, "b/3": gate.Left, "*/9": gate.Open,
		}, gate.Undecided},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := gate.Decide(t.Context(), policyOf(t, test.policy), gate.Run{Source: &record.Memory{}, Verdicts: verdicts}, nil)
			require.NoError(t, err)
			assert.Equal(t, test.want, rulings(d))
			assert.Equal(t, test.outcome, d.Outcome())
		})
	}
}

func TestARunWithoutPromisesIsNotReleased(t *testing.T) {
	assert.Equal(t, gate.Undecided, decide(t, &record.Memory{}, nil, gate.DefaultPolicy()).Outcome())
}

func TestBudgets(t *testing.T) {
	run := drawn(t, synthetic.Shape{Seed: 3})
	recovery, p99of := "recovery of "+synthetic.Recovery, "p99 of "+synthetic.SplitStage
	tests := map[string]struct {
		policy, subject string
		want            gate.Ruling
	}{
		"within":                 {"budgets: {latency: [{stage: 'task4/*', quantile: 990, atMostMs: 60}]}", p99of, gate.Passed},
		"beyond":                 {"budgets: {latency: [{stage: 'task4/*', quantile: 990, atMostMs: 5}]}", p99of, gate.Failed},
		"neither":                {"budgets: {latency: [{stage: 'task4/*', quantile: 990, atMostMs: 7.2}]}", p99of, gate.Open},
		"not bounded":            {"budgets: {latency: [{stage: 'task4/*', quantile: 999, atMostMs: 10000}]}", "p99.9 of " + synthetic.SplitStage, gate.Open},
		"no such stage":          {"budgets: {latency: [{stage: 'x', quantile: 990, atMostMs: 5}]}", "latency budget of x", gate.Open},
		"recovered in time":      {"budgets: {recovery: [{promise: 'resilience/*', atMost: 2s}]}", recovery, gate.Passed},
		"recovered too late":     {"budgets: {recovery: [{promise: 'resilience/*', atMost: 1s}]}", recovery, gate.Failed},
		"no promise of recovery": {"budgets: {recovery: [{promise: 'task4/*', atMost: 1s}]}", "recovery budget of task4/*", gate.Open},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := decide(t, run, nil, policyOf(t, test.policy))
			require.Contains(t, rulings(d), test.subject)
			assert.Equal(t, test.want, rulings(d)[test.subject], "%+v", d.Rows)
		})
	}
}
