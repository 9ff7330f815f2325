package catalogue

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryPromiseCanBePlayedAlone reduces the catalogue to each of its promises
// in turn: it is planned as it is among the others.
func TestEveryPromiseCanBePlayedAlone(t *testing.T) {
	all := Traffic()
	whole, err := Plan(all, 1)
	require.NoError(t, err)
	for i, promise := range whole.Promises {
		picked, err := Only(all, []string{promise.ID})
		require.NoError(t, err, promise.ID)
		require.Len(t, picked, 1)
		require.Len(t, picked[0].Promises, 1)
		if i%9 == 0 { // the designs take a while
			alone, err := Plan(picked, 1)
			require.NoError(t, err)
			assert.Equal(t, promise, alone.Promises[0])
		}
	}
	again, err := Plan(all, 1)
	require.NoError(t, err)
	assert.Equal(t, whole, again, "the catalogue itself is untouched")
}

func TestAnUnknownPromiseIsNamed(t *testing.T) {
	_, err := Only(Traffic(), []string{"task4/split-70-30/share", "task4/none"})
	require.ErrorContains(t, err, `"task4/none"`)
}
