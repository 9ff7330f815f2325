package chaos_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
)

// noop is a fault that breaks nothing and notes what it was asked.
type noop struct {
	calls    []string
	fail     string
	evidence string
}

func (n *noop) call(name string) error {
	n.calls = append(n.calls, name)
	if n.fail == name {
		return errors.New(name + " failed")
	}
	return nil
}

func (n *noop) Inject(context.Context) error            { return n.call("inject") }
func (n *noop) Confirm(context.Context) (string, error) { return n.evidence, n.call("confirm") }
func (n *noop) Recover(context.Context) error           { return n.call("recover") }
func (n *noop) ConfirmRecovered(context.Context) (string, error) {
	return n.evidence, n.call("whole")
}
func (n *noop) Write(context.Context) error  { return n.call("write") }
func (n *noop) Stands(context.Context) error { return n.call("stands") }
func (n *noop) Erase(context.Context) error  { return n.call("erase") }

func TestALifeGoesItsWay(t *testing.T) {
	fault := &noop{evidence: "seen"}
	var states []chaos.State
	life := chaos.NewLife(fault, fault, func(m chaos.Moment) { states = append(states, m.State) })
	for _, step := range []func(context.Context) error{life.Inject, life.Confirm, life.Recover, life.Recover, life.ConfirmRecovered, life.End} {
		require.NoError(t, step(t.Context()))
	}
	assert.Equal(t, []string{"write", "inject", "confirm", "recover", "recover", "whole", "erase"}, fault.calls)
	assert.Equal(t, []chaos.State{chaos.Pledged, chaos.Injected, chaos.Confirmed, chaos.Undone, chaos.Undone, chaos.Whole}, states)
}

// Every sequence of up to five steps is either the drawn way or refused, by a
// table of the arrows that is independent of the code.
func TestWhatIsNotDrawnIsRefused(t *testing.T) {
	arrows := map[chaos.State]map[int]chaos.State{
		chaos.Planned:   {0: chaos.Injected, 2: chaos.Undone},
		chaos.Injected:  {1: chaos.Confirmed, 2: chaos.Undone},
		chaos.Confirmed: {2: chaos.Undone},
		chaos.Undone:    {2: chaos.Undone, 3: chaos.Whole},
		chaos.Whole:     {},
	}
	for code := range 4 * 4 * 4 * 4 * 4 {
		fault := &noop{evidence: "seen"}
		life := chaos.NewLife(fault, fault, nil)
		steps := []func(context.Context) error{life.Inject, life.Confirm, life.Recover, life.ConfirmRecovered}
		want := chaos.Planned
		for rest := code; ; rest /= 4 {
			next, drawn := arrows[want][rest%4]
			err := steps[rest%4](t.Context())
			var order *chaos.OrderError
			if drawn {
				require.NoError(t, err)
				want = next
			} else {
				require.ErrorAs(t, err, &order, "%d in %s", rest%4, want)
			}
			require.Equal(t, want, life.State())
			if rest < 4 {
				break
			}
		}
	}
}

func TestTheUndoIsWrittenBeforeTheDeedAndErasedAfterTheProof(t *testing.T) {
	for _, c := range []struct {
		fail  string
		state chaos.State
		calls []string
	}{
		{"write", chaos.Planned, []string{"write"}},
		{"inject", chaos.Pledged, []string{"write", "inject"}},
		{"confirm", chaos.Injected, []string{"write", "inject", "confirm"}},
	} {
		fault := &noop{evidence: "seen", fail: c.fail}
		life := chaos.NewLife(fault, fault, nil)
		err := life.Inject(t.Context())
		if err == nil {
			err = life.Confirm(t.Context())
		}
		require.ErrorContains(t, err, c.fail)
		assert.Equal(t, c.state, life.State())
		assert.Equal(t, c.calls, fault.calls)
		require.NoError(t, life.End(t.Context()), "however far it got, it can be undone")
		assert.Equal(t, chaos.Whole, life.State())
	}
	fault := &noop{evidence: "seen", fail: "whole"}
	life := chaos.NewLife(fault, fault, nil)
	require.NoError(t, life.Inject(t.Context()))
	require.Error(t, life.End(t.Context()))
	assert.NotContains(t, fault.calls, "erase", "the watchdog still has the pledge")
}

func TestAFaultWithoutEvidenceDidNotHappen(t *testing.T) {
	fault := &noop{}
	life := chaos.NewLife(fault, fault, nil)
	require.NoError(t, life.Inject(t.Context()))
	require.ErrorContains(t, life.Confirm(t.Context()), "no evidence")
	require.NoError(t, life.Recover(t.Context()))
	require.ErrorContains(t, life.ConfirmRecovered(t.Context()), "no evidence")
}

// enduring is a no-op that stays.
type enduring struct{ *noop }

func (e enduring) Still(context.Context) (string, error) { return e.evidence, e.call("still") }

func TestAFaultThatWasUndoneEarlyDidNotLast(t *testing.T) {
	for _, c := range []struct {
		fail, want string
		stays      bool
	}{{"", "", true}, {"", "", false}, {"stands", "did not last", true}, {"still", "did not last", true}, {"still", "", false}} {
		once := &noop{evidence: "seen"}
		var fault chaos.Fault = once
		if c.stays {
			fault = enduring{once}
		}
		life := chaos.NewLife(fault, once, nil)
		require.ErrorContains(t, life.Last(t.Context()), "planned", "nothing has begun")
		require.NoError(t, life.Inject(t.Context()))
		require.NoError(t, life.Confirm(t.Context()))
		once.fail = c.fail
		err := life.Last(t.Context())
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
		assert.Equal(t, chaos.Confirmed, life.State(), "it can be undone all the same")
	}
}

// halved is a no-op of two halves.
type halved struct{ *noop }

func (h halved) Return(context.Context) error { return h.call("return") }

func TestTheFirstHalfOfAFaultReturnsBeforeItsUndo(t *testing.T) {
	once := &noop{evidence: "seen"}
	life := chaos.NewLife(halved{once}, once, nil)
	require.Error(t, life.Return(t.Context()), "nothing has begun")
	require.NoError(t, life.Inject(t.Context()))
	require.NoError(t, life.Confirm(t.Context()))
	require.NoError(t, life.Return(t.Context()))
	require.NoError(t, life.End(t.Context()))
	assert.Equal(t, []string{"write", "inject", "confirm", "return", "recover", "whole", "erase"}, once.calls)

	whole := chaos.NewLife(once, once, nil)
	require.NoError(t, whole.Inject(t.Context()))
	require.NoError(t, whole.Confirm(t.Context()))
	require.ErrorContains(t, whole.Return(t.Context()), "no first half")
}
