package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
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

// A cell that shows nothing is not one that is broken, nor one that held; what is
// broken is told whatever else went wrong.
func TestWhatBecomesOfCellsIsTold(t *testing.T) {
	unsupported, early, late := &chaos.Unsupported{Reason: "no netem"}, &unreached{chaos.Confirmed, errors.New("no pod")}, errors.New("replicas 1")
	for name, c := range map[string]struct {
		ends    []error
		left    error
		want    int
		unbegun int
	}{
		"all whole":                        {[]error{nil, nil}, nil, exitHeld, 0},
		"some unsupported":                 {[]error{nil, unsupported}, nil, exitHeld, 0},
		"all unsupported":                  {[]error{unsupported, unsupported}, nil, exitInconclusive, 0},
		"no cell at all":                   {nil, nil, exitInconclusive, 0},
		"one never came to its step":       {[]error{nil, early}, nil, exitCouldNotRun, 0},
		"one not whole":                    {[]error{nil, late}, nil, exitViolated, 0},
		"one not whole, one never came":    {[]error{early, late}, nil, exitViolated, 0},
		"whole, and the ground not left":   {[]error{nil}, errors.New("refused"), exitCouldNotRun, 0},
		"broken, and the ground not left":  {[]error{late}, errors.New("refused"), exitViolated, 0},
		"unsupported, the ground not left": {[]error{unsupported}, errors.New("refused"), exitCouldNotRun, 0},
		"whole, and then interrupted":      {[]error{nil}, nil, exitCouldNotRun, 5},
	} {
		var fates matrixFates
		for _, err := range c.ends {
			fates.add(cell{Step: chaos.Injected}, err)
		}
		fates.unbegun = c.unbegun
		err := fates.verdict(c.left)
		if c.want == exitHeld {
			require.NoError(t, err, name)
			continue
		}
		var coded *exitError
		require.ErrorAs(t, err, &coded, name)
		assert.Equal(t, c.want, coded.code, name)
		if c.left != nil {
			assert.ErrorContains(t, err, "refused", name)
		}
	}
}

// A length that cannot be read plays nothing: not, for want of one, everything.
func TestALengthWithoutAUnitIsAnError(t *testing.T) {
	for _, wrong := range []string{"10", "ten minutes", "-5m"} {
		t.Setenv("DURATION", wrong)
		for _, args := range [][]string{{}, {"plan"}, {"shrink"}} {
			cmd := chaosCommand()
			cmd.SetArgs(args)
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			require.ErrorContains(t, cmd.Execute(), "no length of time", "%v", args)
		}
	}
}

func TestOnlyAClusterOfOthersNeedsLeaveForItsSystem(t *testing.T) {
	for _, c := range []struct{ existing, system, want bool }{{false, false, true}, {true, false, false}, {true, true, true}} {
		flags := environmentFlags{existing: c.existing, system: c.system}
		assert.Equal(t, c.want, flags.mayTouchSystem())
	}
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
