package conformance_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/conformance"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

func run(promises ...record.Verdict) *record.Run {
	r := &record.Run{Environment: record.Environment{Istio: "1.31.0", GatewayAPI: "1.6.3", Channel: "standard"}}
	for _, v := range promises {
		r.Plan.Promises = append(r.Plan.Promises, record.Promise{ID: v.ID, Task: v.Task, AboutNodeProxy: v.StandIn})
		if v.Verdict != "" {
			v.StandIn = false
			r.Verdicts = append(r.Verdicts, v)
		}
	}
	return r
}

func TestResultIsHonest(t *testing.T) {
	for name, test := range map[string]struct {
		outcome record.Outcome
		want    string
	}{
		"held": {record.Held, conformance.Success}, "violated": {record.Violated, conformance.Failure},
		"a listed deviation is a failure": {record.ViolatedKnown, conformance.Failure},
		"inconclusive is not passed":      {record.Inconclusive, conformance.Partial},
		"unsupported is not passed":       {record.Unsupported, conformance.Partial},
		"never judged is not passed":      {"", conformance.Partial},
	} {
		t.Run(name, func(t *testing.T) {
			held := record.Verdict{ID: "task4/a", Task: "task4", Verdict: record.Held}
			r := conformance.New(run(held, record.Verdict{ID: "task5/b", Task: "task5", Verdict: test.outcome}))
			assert.Equal(t, test.want, r.Profiles[0].Core.Result)
			assert.Nil(t, r.Profiles[0].Extended)
		})
	}
	assert.Equal(t, conformance.Partial, conformance.New(run()).Profiles[0].Core.Result, "nothing is no success")
}

func TestStandInProvesNothingAboutIstio(t *testing.T) {
	r := run(record.Verdict{ID: "l4/balance", Task: "l4", Verdict: record.Held, StandIn: true},
		record.Verdict{ID: "task4/a", Task: "task4", Verdict: record.Held})
	assert.Equal(t, conformance.Success, conformance.New(r).Profiles[0].Extended.Result)
	r.Environment.NodeProxy = record.StandIn + " 1a2b3c4d"
	report := conformance.New(r)
	assert.Equal(t, conformance.Success, report.Profiles[0].Core.Result)
	assert.Equal(t, []string{"l4/balance"}, report.Profiles[0].Extended.SkippedTests)
	assert.Contains(t, report.Implementation.Version, "stand-in")
}

func TestFeatures(t *testing.T) {
	e := conformance.New(run(
		record.Verdict{ID: "retries/a", Task: "retries", Verdict: record.Unsupported},
		record.Verdict{ID: "faults/a", Task: "faults", Verdict: record.Unsupported},
		record.Verdict{ID: "faults/b", Task: "faults", Verdict: record.Violated},
	)).Profiles[0].Extended
	assert.Equal(t, []string{"faults"}, e.SupportedFeatures)
	assert.Equal(t, []string{"retries"}, e.UnsupportedFeatures)
	assert.Equal(t, conformance.Statistics{Failed: 1, Skipped: 2}, e.Statistics)
}

// TestFeaturesThatNothingWasShownOf are in neither list.
func TestFeaturesThatNothingWasShownOf(t *testing.T) {
	r := run(
		record.Verdict{ID: "faults/a", Task: "faults", Verdict: record.Inconclusive},
		record.Verdict{ID: "retries/a", Task: "retries", Verdict: record.Inconclusive},
		record.Verdict{ID: "retries/b", Task: "retries", Verdict: record.Unsupported},
		record.Verdict{ID: "timeouts/a", Task: "timeouts"},
		record.Verdict{ID: "l4/a", Task: "l4", Verdict: record.Held, StandIn: true},
		record.Verdict{ID: "paths/a", Task: "paths", Verdict: record.Held},
	)
	r.Environment.NodeProxy = record.StandIn + " 0.3.0"
	report := conformance.New(r)
	e := report.Profiles[0].Extended
	assert.Equal(t, []string{"paths"}, e.SupportedFeatures)
	assert.Empty(t, e.UnsupportedFeatures)
	assert.Contains(t, report.Profiles[0].Summary, "1 of the skipped tests were reached on a stand-in")
	assert.Contains(t, report.Implementation.Version, "stand-in")
}

// TestARunOfAPartIsPartial: that what was played held does not speak for the rest.
func TestARunOfAPartIsPartial(t *testing.T) {
	r := run(record.Verdict{ID: "task4/a", Task: "task4", Verdict: record.Held}, record.Verdict{ID: "paths/a", Task: "paths", Verdict: record.Held})
	assert.Equal(t, conformance.Success, conformance.New(r).Profiles[0].Core.Result)
	r.Plan.Unselected = []record.Unselected{{ID: "task5/b", Task: "task5"}, {ID: "faults/a", Task: "faults"}}
	p := conformance.New(r).Profiles[0]
	assert.Equal(t, conformance.Partial, p.Core.Result)
	assert.Equal(t, []string{"task5/b"}, p.Core.SkippedTests)
	assert.Equal(t, conformance.Partial, p.Extended.Result)
	assert.Equal(t, []string{"faults/a"}, p.Extended.SkippedTests)
	assert.Equal(t, []string{"paths"}, p.Extended.SupportedFeatures)
	assert.Contains(t, p.Summary, "2 of the skipped tests were not selected")
}

func TestRenderReadsBack(t *testing.T) {
	source := sample.New(1724, 1).Run()
	var b bytes.Buffer
	require.NoError(t, conformance.Render(&b, source))
	var back conformance.Report
	require.NoError(t, yaml.UnmarshalStrict(b.Bytes(), &back))
	assert.Equal(t, conformance.New(source), back)
	assert.Contains(t, b.String(), "mode: ambient\n")
	assert.Contains(t, b.String(), "gatewayAPIVersion: v1.6.3\n")
}
