package loadgen

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// scripted gives one share after the other, and counts them.
func scripted(shares ...float64) (measure func() func() float64, looked *int) {
	looked = new(int)
	return func() func() float64 {
		return func() float64 {
			*looked++
			return shares[*looked-1]
		}
	}, looked
}

func TestSettleWaitsForBeatsWithoutPressure(t *testing.T) {
	for name, c := range map[string]struct {
		shares []float64
		looks  int
	}{
		"calm at once":      {[]float64{0.36, 0.49, 0.1, 1}, 3},
		"calm later":        {[]float64{0.9, 0.5, 0.49, 0.4, 0.4, 1}, 5},
		"calm, but not yet": {[]float64{0.1, 0.1, 0.5, 0.1, 0.1, 0.1, 1}, 6},
		"a silent kernel's": {[]float64{0, 0, 0, 1}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			measure, looked := scripted(c.shares...)
			beat := make(chan time.Time, len(c.shares))
			for range c.shares {
				beat <- time.Time{}
			}
			settle(t.Context(), measure, beat)
			assert.Equal(t, c.looks, *looked)
		})
	}
}

func TestSettleIsBounded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	measure, looked := scripted()
	settle(ctx, measure, nil)
	assert.Zero(t, *looked)
	assert.Zero(t, Settle(t.Context(), 0))
	assert.Less(t, Settle(t.Context(), time.Millisecond), time.Minute, "whatever the machine does")
}
