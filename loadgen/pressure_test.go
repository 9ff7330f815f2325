package loadgen

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
)

func pressure(text string) fstest.MapFS {
	return fstest.MapFS{"pressure/cpu": {Data: []byte(text)}}
}

func TestWaitedReadsPressureStallInformation(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"some avg10=64.79 avg60=68.44 avg300=84.74 total=11080472038\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n": 11080472038 * time.Microsecond,
		"some total=7\n": 7 * time.Microsecond,
	} {
		got, ok := waited(pressure(text))
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", "full total=7", "some avg10=1", "some total=many"} {
		_, ok := waited(pressure(text))
		assert.False(t, ok, text)
	}
	_, ok := waited(fstest.MapFS{})
	assert.False(t, ok, "a kernel that keeps none")
}

func TestStarvationIsAShareOfTheTime(t *testing.T) {
	at := time.Unix(0, 0)
	now := func() time.Time { return at }
	proc := pressure("some total=1000000")
	share := starvation(proc, now)
	proc["pressure/cpu"].Data = []byte("some total=4000000")
	at = at.Add(4 * time.Second)
	assert.InDelta(t, 0.75, share(), 1e-9)
	at = at.Add(-3 * time.Second)
	assert.InDelta(t, 1, share(), 0, "rounding is no excess")
	assert.Zero(t, starvation(fstest.MapFS{}, now)())
}
