package html

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBandIsReadFromTheVerdict(t *testing.T) {
	for allowed, want := range map[string][2]float64{
		"v1 3744..4079 of 5590 at alpha 1e-6":        {3744. / 5590, 4079. / 5590},
		"v2 5..6 of 10, v1 1..2 of 10 at alpha 1e-6": {.1, .2},
		"stopped early; v1 0..5 of 5":                {0, 1},
	} {
		low, up, ok := band(allowed, "v1")
		require.True(t, ok, allowed)
		assert.InDelta(t, want[0], low, 1e-12)
		assert.InDelta(t, want[1], up, 1e-12)
	}
	for _, allowed := range []string{"", "v10 1..2 of 3", "xv1 1..2 of 3", "v1 1..2 of 0", "v1 at most 3"} {
		_, _, ok := band(allowed, "v1")
		assert.False(t, ok, allowed)
	}
	_, _, ok := band("a(b 1..2 of 3", "a(b")
	assert.True(t, ok, "a version is no pattern")
}

// TestCorridorAgainstPublishedDesign holds the drawn lines against the design
// for 70 % within 5 points at 1e-6 and 1e-3: violated at the earliest with 0 of
// 99 or 221 of 221, held at the earliest at request 1270.
func TestCorridorAgainstPublishedDesign(t *testing.T) {
	c, ok := corridorOf(.7, .05, 1e-6, 1e-3)
	require.True(t, ok)
	assert.Negative(t, c.lowSlope*65-c.lowReject)
	first := func(reached func(n float64) bool) float64 {
		n := 1.0
		for ; !reached(n); n++ {
			require.Less(t, n, 1e5)
		}
		return n
	}
	assert.Equal(t, 99.0, first(func(n float64) bool { return c.lowSlope*n-c.lowReject >= 0 }))
	assert.Equal(t, 221.0, first(func(n float64) bool { return n >= c.upSlope*n+c.upReject }))
	assert.InDelta(t, 1270, (c.lowAccept+c.upAccept)/(c.upSlope-c.lowSlope), 8)
	_, ok = corridorOf(.99, .05, 1e-6, 1e-3)
	assert.False(t, ok)
}
