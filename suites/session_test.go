package suites

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// A scenario may be judged well and then not be cleared away: the run must say so.
func TestTroubleThatNoVerdictSpeaksOf(t *testing.T) {
	t.Cleanup(func() { current = nil })
	left := errors.New("a route is left")
	held := []record.Verdict{{ID: "task4/a", Verdict: record.Held}}
	session := &Session{}
	Use(session)
	require.NoError(t, tell(held, nil))
	require.NoError(t, session.Trouble)
	require.ErrorContains(t, tell(held, left), "a route is left")
	assert.ErrorIs(t, session.Trouble, left)
}
