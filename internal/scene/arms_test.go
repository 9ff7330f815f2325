package scene

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

// underLoad is a show with two arms, whose requests a test makes up.
func underLoad(t *testing.T) *show {
	t.Helper()
	s, err := Open(Options{Dir: filepath.Join(t.TempDir(), "run"), Run: record.Run{ID: "r"}})
	require.NoError(t, err)
	s.current, s.run.Stages = &record.Memory{}, []record.Stage{{Name: "get"}, {Name: "stream"}}
	a := &arms{scene: s, indexes: []int{0, 1}, burnt: make(chan struct{}), burn: chaos.Burn{For: burnFor, Share: burnShare, Least: burnLeast}}
	a.alarm = a.burnt
	return &show{scene: s, arms: a, experiment: catalogue.Experiment{Scenario: catalogue.Scenario{ID: "e"}}}
}

// One arm that fails before the fault keeps it from all of them.
func TestTheSteadyStateOfEveryArmIsTheGate(t *testing.T) {
	for name, c := range map[string]struct {
		odd    record.Observation
		steady bool
	}{
		"answered":         {record.Observation{Class: record.ClassOK, Status: 200}, true},
		"not found":        {record.Observation{Class: record.ClassOK, Status: 404}, true},
		"a server's error": {record.Observation{Class: record.ClassOK, Status: 503}, false},
		"cut":              {record.Observation{Class: record.ClassEOF, Status: 200}, false},
		"sent again":       {record.Observation{Class: record.ClassOK, Status: 200, Replays: 1}, false},
	} {
		s := underLoad(t)
		assert.True(t, s.arms.take(0, record.Observation{Class: record.ClassOK, Status: 200}))
		s.arms.take(1, c.odd)
		err := s.arms.steady()
		if c.steady {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, errUnsteady, name)
		assert.ErrorContains(t, err, "of stream", name)
	}
}

// brief is a fault that somebody may undo before its time.
type brief struct{ undone error }

func (brief) Inject(context.Context) error                     { return nil }
func (brief) Confirm(context.Context) (string, error)          { return "seen", nil }
func (brief) Recover(context.Context) error                    { return nil }
func (brief) ConfirmRecovered(context.Context) (string, error) { return "whole", nil }
func (brief) Write(context.Context) error                      { return nil }
func (b brief) Stands(context.Context) error                   { return b.undone }
func (brief) Erase(context.Context) error                      { return nil }

// silent is progress that nobody reads.
type silent struct{}

func (silent) Step(string) func(error) { return func(error) {} }
func (silent) Note(string, ...any)     {}

func TestAFaultThatWasUndoneByOthersHasNoWindow(t *testing.T) {
	for _, undone := range []error{nil, errors.New("carried out by the watchdog")} {
		s := underLoad(t)
		s.scene.progress = silent{}
		fault := brief{undone}
		s.life = chaos.NewLife(fault, fault, nil)
		require.NoError(t, s.life.Inject(t.Context()))
		require.NoError(t, s.life.Confirm(t.Context()))
		s.lasted(t.Context(), chaos.WindowFault, time.Now(), chaos.Spec{Name: "hang"})
		assert.Equal(t, undone == nil, len(s.scene.run.Windows) == 1)
		assert.Equal(t, undone != nil, len(s.scene.run.Events) == 1)
	}
}

func TestAWindowNamesTheFaultThatLastedInIt(t *testing.T) {
	s := underLoad(t)
	spec := chaos.Spec{Name: "kill", Target: "n/w", Hold: time.Second}
	s.note(chaos.WindowBaseline, time.Now(), "")
	end := s.note(catalogue.StrikeWindow(chaos.Strike{Number: 3}), time.Now(), spec.String())
	windows := s.scene.run.Windows
	require.Len(t, windows, 2)
	assert.Empty(t, windows[0].Fault)
	assert.Equal(t, "strike-3", windows[1].Name)
	assert.Equal(t, spec.String(), windows[1].Fault)
	assert.Equal(t, end.UTC(), windows[1].End)
}
