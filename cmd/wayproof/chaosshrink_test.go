package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/progress"
)

func TestATrialIsReadByItsExitCode(t *testing.T) {
	flags := &shrinkFlags{lines: progress.New(t.Output())}
	for code, want := range map[int]bool{exitHeld: false, exitViolated: true, exitInconclusive: false} {
		violated, err := flags.judged(code, nil)
		require.NoError(t, err)
		assert.Equal(t, want, violated, code)
	}
	_, err := flags.judged(exitCouldNotRun, []chaos.Strike{{Number: 3}})
	require.ErrorContains(t, err, "strikes 3 could not be played")
}

func TestATrialIsARunOfItsOwn(t *testing.T) {
	cmd := chaosShrinkCommand()
	require.NoError(t, cmd.ParseFlags([]string{"--seed", "7", "--duration", "5m", "--artifacts", "x", "--repeat", "2"}))
	flags := &shrinkFlags{passed: passedOn(cmd.Flags())}
	flags.nemesis.length = 5 * time.Minute
	assert.Equal(t, []string{"chaos", "--keep", "--seed", "7", "--duration", "5m0s", "--strikes", "2,5", "--artifacts=x"},
		flags.trialArgs(7, []chaos.Strike{{Number: 2}, {Number: 5}}))
}
