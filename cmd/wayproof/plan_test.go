package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlanIsNumberedAndSized(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printPlan(&out, &runFlags{focus: "^(faults/delay|retries/httproute|task9)"}))
	text := out.String()
	for _, want := range []string{
		"faults/delay  ", "(25s)",
		"n 6655 requests, delayed median 1920, alpha 1e-06, beta 0.001, delta 5 %",
		"needs retry", "samples of the cluster",
		"3 scenarios, ", "of a false-alarm budget of 0.001",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "task4")
	assert.Contains(t, text, "   1  faults/delay/before ")
}

func TestPlanOfEverythingFitsTheBudget(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printPlan(&out, &runFlags{}))
	assert.Contains(t, out.String(), "task9/pdb/edge")
}

func TestPlanSaysWhichScenariosExist(t *testing.T) {
	var out bytes.Buffer
	err := printPlan(&out, &runFlags{focus: "no such thing"})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no such thing")
	for _, id := range []string{"task4/split-70-30", "faults/abort", "task8/hpa"} {
		assert.Contains(t, err.Error(), id)
	}
	assert.Empty(t, out.String(), "a plan that cannot be made prints nothing")

	require.ErrorContains(t, printPlan(&out, &runFlags{labels: "slow"}), "quick")
	require.ErrorContains(t, printPlan(&out, &runFlags{focus: "x", rerun: "y"}), "--rerun-failed")
}
