package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/stat"
)

func TestTheCommittedTableIsWhatTheProgramPrints(t *testing.T) {
	var out strings.Builder
	require.NoError(t, render(&out))
	committed, err := os.ReadFile("../../../docs/operating-characteristics.md")
	require.NoError(t, err)
	assert.Equal(t, string(committed), out.String(), "make it again: go run ./internal/stat/characteristics > docs/operating-characteristics.md")
}

// The table has every test of a share that the catalogue plans, and no other.
func TestTheTableHasEveryDesignOfTheCatalogue(t *testing.T) {
	type design struct {
		n, lo, hi  int
		falseAlarm float64
	}
	listed, planned := map[design]string{}, map[design]string{}
	for _, g := range goals {
		s, err := stat.DesignSequential(goalOf(g.perMille, g.delta, g.arms))
		require.NoError(t, err)
		listed[design{s.N, s.Lo, s.Hi, s.FalseLow + s.FalseHigh}] = g.name
	}
	for _, scenarios := range [][]catalogue.Scenario{catalogue.Traffic(), catalogue.ScenariosOf(catalogue.Resilience())} {
		plan, err := catalogue.Plan(scenarios, 1)
		require.NoError(t, err)
		for _, promise := range plan.Promises {
			for _, d := range promise.Design {
				planned[design{d.N, d.Lo, d.Hi, d.FalseAlarm}] = promise.ID
			}
		}
	}
	for d, id := range planned {
		assert.Contains(t, listed, d, "%s is not in the table", id)
	}
	for d, name := range listed {
		assert.Contains(t, planned, d, "%s is planned by no promise", name)
	}
	assert.Len(t, listed, len(goals))
}
