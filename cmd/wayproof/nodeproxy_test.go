package main

import (
	"errors"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
	"github.com/stretchr/testify/assert"
)

func endsWith(err error) int {
	if coded, ok := errors.AsType[*exitError](err); ok {
		return coded.code
	}
	return exitHeld
}

func TestExitCodesOfTheNodeProxySuite(t *testing.T) {
	spec := func(state types.SpecState, where types.NodeType) types.SpecReport {
		return types.SpecReport{State: state, Failure: types.Failure{FailureNodeType: where}}
	}
	passed := spec(types.SpecStatePassed, types.NodeTypeInvalid)
	failed := spec(types.SpecStateFailed, types.NodeTypeIt)
	slow := spec(types.SpecStateTimedout, types.NodeTypeIt)
	noBed := spec(types.SpecStateFailed, types.NodeTypeBeforeAll)
	for name, c := range map[string]struct {
		specs   []types.SpecReport
		special []string
		want    int
	}{
		"all passed":                   {[]types.SpecReport{passed, passed}, nil, exitHeld},
		"an assertion failed":          {[]types.SpecReport{slow, noBed, passed, failed}, nil, exitViolated},
		"took too long":                {[]types.SpecReport{passed, slow}, nil, exitInconclusive},
		"interrupted":                  {[]types.SpecReport{spec(types.SpecStateInterrupted, types.NodeTypeIt)}, nil, exitInconclusive},
		"panicked":                     {[]types.SpecReport{spec(types.SpecStatePanicked, types.NodeTypeIt)}, nil, exitInconclusive},
		"cleaning up failed":           {[]types.SpecReport{spec(types.SpecStateFailed, types.NodeTypeCleanupAfterEach)}, nil, exitInconclusive},
		"no bed":                       {[]types.SpecReport{noBed, noBed}, nil, exitCouldNotRun},
		"no time for the bed":          {[]types.SpecReport{spec(types.SpecStateTimedout, types.NodeTypeBeforeAll)}, nil, exitCouldNotRun},
		"interrupted in between":       {[]types.SpecReport{passed}, []string{"Interrupted by User"}, exitInconclusive},
		"nothing matched":              {nil, []string{"Detected no specs ran"}, exitCouldNotRun},
		"nothing matched, all skipped": {[]types.SpecReport{spec(types.SpecStateSkipped, types.NodeTypeInvalid)}, nil, exitCouldNotRun},
	} {
		t.Run(name, func(t *testing.T) {
			report := types.Report{SpecReports: c.specs, SpecialSuiteFailureReasons: c.special}
			report.PreRunStats.SpecsThatWillRun = len(types.SpecReports(c.specs).WithState(^types.SpecStateSkipped))
			assert.Equal(t, c.want, endsWith(judgeSpecs(report)))
		})
	}
}
