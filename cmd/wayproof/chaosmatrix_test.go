package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/catalogue"
)

func TestCellsAreDrawnBySeed(t *testing.T) {
	all := cells(0, 1)
	assert.Len(t, all, len(steps())*len(catalogue.Grounded()))
	assert.Equal(t, all, cells(0, 2), "the whole matrix has one order")
	assert.Equal(t, cells(3, 5), cells(3, 5))
	assert.Len(t, cells(3, 5), 3)
	drawn := map[string]bool{}
	for seed := range uint64(40) {
		for _, one := range cells(3, seed) {
			drawn[one.String()] = true
		}
	}
	assert.Greater(t, len(drawn), 30)
}

func TestStrikesAreKeptByNumber(t *testing.T) {
	flags := nemesisFlags{length: defaultNemesis}
	all, err := flags.schedule(7)
	assert.NoError(t, err)
	flags.strikes = "1,3"
	some, err := flags.schedule(7)
	assert.NoError(t, err)
	assert.Equal(t, []int{1, 3}, []int{some[0].Number, some[1].Number})
	assert.Equal(t, all[2], some[1], "what is left keeps its place in time")
	for _, wrong := range []string{"0", "99", "x"} {
		flags.strikes = wrong
		_, err = flags.schedule(7)
		assert.Error(t, err, wrong)
	}
}
