package digest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/sample"
)

// TestGridAgainstSorting compares quantiles with those of the sorted sample.
func TestGridAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	grid := newGrid()
	var all []time.Duration
	for range 5000 {
		d := time.Duration((1 + rng.ExpFloat64()*20) * float64(time.Millisecond))
		all = append(all, d)
		grid.add(3, d)
	}
	slices.Sort(all)
	for _, q := range []float64{.01, .1, .5, .9, .99, 1} {
		got, ok := grid.Quantile(3, q)
		require.True(t, ok)
		want := all[int(q*5000)-1]
		assert.InEpsilon(t, want, got, .05, "q %v", q)
	}
	_, ok := grid.Quantile(4, .5)
	assert.False(t, ok)
}

func TestPathKeepsIntendedOrder(t *testing.T) {
	const hits = 1000
	p := newPath(hits)
	for _, seq := range rand.New(rand.NewPCG(3, 4)).Perm(hits) {
		version := "v2"
		if seq < 300 {
			version = "v1" // the first 300 in intended order, whatever came back first
		}
		p.add(seq, version)
	}
	steps := p.Of("v1")
	assert.Equal(t, Step{1000, 300}, steps[len(steps)-1])
	for _, s := range steps {
		if s.N < 290 {
			assert.Equal(t, s.N, s.X)
		}
	}
}

func TestCountsFoldsTheRest(t *testing.T) {
	c := NewCounts(2)
	for _, key := range []string{"a", "b", "c", "d", "b"} {
		c.Add(key)
	}
	assert.Equal(t, []string{"b", Others, "a"}, c.Keys())
	assert.Equal(t, 5, c.Total())
}

func TestSampleRun(t *testing.T) {
	source := sample.New(1724, 1)
	d, err := Read(context.Background(), source)
	require.NoError(t, err)
	total := 0
	for _, s := range source.Run().Stages {
		total += s.Load.Hits
	}
	assert.Equal(t, total, d.Observed)
	all := func(int) bool { return true }
	byName := func(name string) *Stage {
		i, _, ok := source.Run().StageNamed(name)
		require.True(t, ok)
		return d.Stages[i]
	}
	mirror := byName("task7/mirror-100/applied")
	require.Len(t, mirror.Copies, 2)
	assert.Equal(t, [7]int{0, 6900}, mirror.Copies[0].Histogram(all))
	assert.Equal(t, [7]int{2, 6897, 1}, mirror.Copies[1].Histogram(all))
	assert.Equal(t, [7]int{1, 3448, 1}, mirror.Copies[1].Histogram(func(seq int) bool { return seq%2 == 0 }), "of 3000 and 3007, one is even; so is 5120")
	attempts := byName("retries/attempts-2/applied")
	assert.Equal(t, [7]int{0, 0, 700}, attempts.Copies[0].Histogram(all))
	assert.Empty(t, byName("task4/split-70-30/applied").Copies)
	assert.Len(t, byName("task8/hpa/applied").Series, 3)
	assert.Positive(t, byName("chaos/waypoint-kill/applied").Odd.Total())
	checkEdges(t, d)
}

// checkEdges holds the traffic against sums that must agree.
func checkEdges(t *testing.T, d *Digest) {
	t.Helper()
	sent := 0
	for _, e := range d.Traffic {
		if e.From == Load {
			sent += e.Calls
		}
		assert.LessOrEqual(t, e.Failed, e.Calls)
		assert.NotEqual(t, Unnamed, e.From, "the load's own direct calls are nobody else's")
	}
	assert.Equal(t, d.Observed, sent)
	assert.True(t, slices.IsSortedFunc(d.Traffic, func(a, b Edge) int { return b.Calls - a.Calls }))
}

func TestPeerWithAndWithoutPort(t *testing.T) {
	s := &record.Stage{Peers: map[string]string{"10.0.0.1": "a", "fd00::1": "b"}}
	for address, want := range map[string]string{
		"10.0.0.1": "a", "10.0.0.1:41000": "a", "[fd00::1]:1": "b", "fd00::1": "b", "10.0.0.2:1": "", "": "",
	} {
		assert.Equal(t, want, peer(s, address), address)
	}
}

type broken struct{ *record.Memory }

func (b broken) Walk(ctx context.Context, sink record.Sink) error {
	return errors.Join(b.Memory.Walk(ctx, sink), &record.Incomplete{All: true, Cause: errors.New("cut")})
}

func TestBrokenRecordStands(t *testing.T) {
	m := &record.Memory{Record: record.Run{Stages: []record.Stage{{Name: "s", Load: record.Load{Hits: 2, Rate: 1}}}}}
	require.NoError(t, m.Observation(&record.Observation{Class: record.ClassOK, Status: 200}))
	require.NoError(t, m.Observation(&record.Observation{Stage: 9, Class: record.ClassOK})) // unknown to the head
	require.NoError(t, m.Arrival(&record.Arrival{Stage: -1}))
	require.NoError(t, m.Sample(&record.Sample{Stage: 7}))
	d, err := Read(context.Background(), broken{m})
	require.NoError(t, err)
	require.NotNil(t, d.Incomplete)
	assert.Equal(t, 1, d.Stages[0].Observed)
}

func BenchmarkMillion(b *testing.B) {
	source := sample.New(1, 41)
	for b.Loop() {
		d, err := Read(context.Background(), source)
		require.NoError(b, err)
		require.Greater(b, d.Observed, 1_000_000)
	}
}
