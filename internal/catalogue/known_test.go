package catalogue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
)

func TestEveryKnownDeviationIsOfAPromise(t *testing.T) {
	known, err := catalogue.Known()
	require.NoError(t, err)
	promised := map[string]bool{}
	for _, scenario := range catalogue.Traffic() {
		for _, promise := range scenario.Promises {
			promised[promise.ID] = true
		}
	}
	for _, entry := range known {
		assert.True(t, promised[entry.Claim], "%s is listed as known and promised by no scenario", entry.Claim)
	}
}

// The list as it stands: what it lists is excused, and nothing beside it.
func TestTheListExcusesExactlyWhatItLists(t *testing.T) {
	known, err := catalogue.Known()
	require.NoError(t, err)
	environment, day := record.Environment{Istio: "1.31"}, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, entry := range known {
		seen := record.Verdict{ID: entry.Claim, Verdict: record.Violated, Blame: record.Mesh, Signature: entry.Observed}
		for name, interval := range entry.Figures {
			seen.Figures = append(seen.Figures, record.Figure{Name: name, Value: fmt.Sprint((interval.From + interval.To) / 2)})
		}
		excused := known.Apply([]record.Verdict{seen}, environment, day)
		require.Len(t, excused, 1, entry.Claim)
		assert.Equal(t, record.ViolatedKnown, excused[0].Verdict)
		assert.Equal(t, entry.Upstream, excused[0].Known)

		seen.Signature += "!"
		assert.Equal(t, []record.Outcome{record.Violated, record.Violated}, outcomes(known.Apply([]record.Verdict{seen}, environment, day)))
		seen.Verdict = record.Held
		assert.Equal(t, []record.Outcome{record.Held, record.Violated}, outcomes(known.Apply([]record.Verdict{seen}, environment, day)))
	}
}

func outcomes(verdicts []record.Verdict) []record.Outcome {
	var list []record.Outcome
	for _, verdict := range verdicts {
		list = append(list, verdict.Verdict)
	}
	return list
}
