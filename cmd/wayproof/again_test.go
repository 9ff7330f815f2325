package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/reports/html"
)

// TestTheRecordedCommandPlansTheSameAgain parses what a record says reruns it.
func TestTheRecordedCommandPlansTheSameAgain(t *testing.T) {
	for _, args := range [][]string{
		{"--seed", "7", "--focus", "^task4/split-70-30$"},
		{"--seed", "8", "--labels", "quick,l4"},
		{"--seed", "9", "--promise", "task4/split-70-30/share,task7/mirror-100/exactly-once"},
		{"--seed", "3", "--focus", "it's", "--images", "build,archive:/a b", "--cluster", "other"},
		{"--seed", "3", "--existing", "--context", "admin", "--agent-image", "r/agent:1"},
	} {
		flags := &runFlags{}
		cmd := &cobra.Command{}
		flags.register(cmd)
		flags.registerRun(cmd)
		require.NoError(t, cmd.ParseFlags(args))
		first, err := flags.intend()
		if args[3] == "it's" {
			require.ErrorContains(t, err, "nothing matches")
			assert.Equal(t, " --cluster other --images 'build,archive:/a b'", flags.where())
			assert.Equal(t, ` --focus 'it'\''s'`, flags.picked())
			continue
		}
		require.NoError(t, err)
		words := "wayproof run --seed " + args[1] + flags.where() + flags.picked()
		assert.Equal(t, words, first.run.Command)
		alone := &runFlags{seed: args[1], promise: first.run.Plan.Promises[0].ID}
		second, err := alone.intend()
		require.NoError(t, err)
		assert.Equal(t, first.run.Plan.Promises[:1], second.run.Plan.Promises, "%s --promise plans that promise alone", first.run.Again)
	}
}

func TestUnknownAndContradictingSelectionsAreRefused(t *testing.T) {
	_, err := (&runFlags{promise: "task4/none"}).intend()
	require.ErrorContains(t, err, `no promise has the id "task4/none"`)
	_, err = (&runFlags{promise: "task4/split-70-30/share", rerun: t.TempDir()}).intend()
	require.ErrorContains(t, err, "beside it")
}

// TestEveryPlannedPromiseHasAPicture holds the catalogue against the kinds that
// the report knows how to draw.
func TestEveryPlannedPromiseHasAPicture(t *testing.T) {
	for _, scenario := range append(catalogue.Traffic(), catalogue.ScenariosOf(catalogue.Resilience())...) {
		for _, promise := range scenario.Promises {
			assert.Contains(t, html.Kinds(), promise.Kind, promise.ID)
		}
	}
}
