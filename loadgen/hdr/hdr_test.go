package hdr_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen/hdr"
)

var quantiles = []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1}

func recorded(values ...[]uint32) *hdr.Histogram {
	h := &hdr.Histogram{}
	for _, list := range values {
		for _, v := range list {
			h.Record(time.Duration(v) * time.Microsecond)
		}
	}
	return h
}

func same(a, b *hdr.Histogram) bool {
	for _, q := range quantiles {
		if a.Quantile(q) != b.Quantile(q) {
			return false
		}
	}
	return a.Count() == b.Count() && a.Max() == b.Max()
}

// Merging is recording together: what averaging percentiles gets wrong.
func TestMergeIsRecordingTogether(t *testing.T) {
	property := func(a, b []uint32) bool {
		merged := recorded(a)
		merged.Merge(recorded(b))
		return same(merged, recorded(a, b))
	}
	require.NoError(t, quick.Check(property, nil))
}

func TestQuantilesAreThoseOfTheSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]time.Duration, 5000)
	h := &hdr.Histogram{}
	for i := range values {
		values[i] = time.Duration(rng.ExpFloat64() * float64(20*time.Millisecond)).Round(time.Microsecond)
		h.Record(values[i])
	}
	slices.Sort(values)
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
		want := values[int(q*5000)-1]
		assert.InEpsilon(t, float64(want), float64(h.Quantile(q)), 0.001, "quantile %v", q)
	}
	assert.InEpsilon(t, float64(values[4999]), float64(h.Max()), 0.001)
}

func TestOutOfRangeIsRecordedAtTheEnds(t *testing.T) {
	h := &hdr.Histogram{}
	h.Record(-time.Second)
	h.Record(48 * time.Hour)
	assert.EqualValues(t, 2, h.Count())
	assert.Equal(t, time.Microsecond, h.Quantile(0))
	assert.InEpsilon(t, float64(time.Hour), float64(h.Max()), 0.001)
}

func TestTheZeroHistogramIsEmpty(t *testing.T) {
	var h, other hdr.Histogram
	h.Merge(&other)
	assert.Zero(t, h.Count())
	assert.Zero(t, h.Quantile(0.99))
	assert.Zero(t, h.Max())
}

func TestHistogramsSurviveJSON(t *testing.T) {
	property := func(values []uint32) bool {
		before := recorded(values)
		text, err := json.Marshal(before)
		if err != nil {
			return false
		}
		var after hdr.Histogram
		return json.Unmarshal(text, &after) == nil && same(before, &after)
	}
	require.NoError(t, quick.Check(property, nil))
}

func TestForeignHistogramsAreRefused(t *testing.T) {
	foreign := hdrhistogram.NewPacked(1, 1000, 2)
	require.NoError(t, foreign.RecordValue(7))
	text, err := foreign.Encode()
	require.NoError(t, err)
	var h hdr.Histogram
	assert.ErrorContains(t, h.UnmarshalText(text), "geometry")
	assert.ErrorContains(t, h.UnmarshalText([]byte("nonsense")), "decode histogram")
}

func FuzzUnmarshalText(f *testing.F) {
	text, err := recorded([]uint32{1, 10, 1e6}).MarshalText()
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		var h hdr.Histogram
		if h.UnmarshalText(text) == nil {
			h.Record(time.Second)
			assert.Positive(t, h.Count())
		}
	})
}

func observation(rng *rand.Rand) record.Observation {
	intended := time.Duration(rng.Int64N(int64(4 * time.Second)))
	sent := intended + time.Duration(rng.Int64N(int64(time.Millisecond)))
	classes := []record.Class{record.ClassOK, record.ClassTimeout, record.ClassCanceled}
	return record.Observation{
		Intended: intended, Sent: sent, Done: sent + time.Duration(rng.Int64N(int64(time.Second))),
		Class: classes[rng.IntN(len(classes))],
	}
}

func TestSeriesOfTwoWorkersMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var a, b, both hdr.Series
	for i := range 2000 {
		o := observation(rng)
		both.Add(o)
		if i%3 == 0 {
			a.Add(o)
		} else {
			b.Add(o)
		}
	}
	a.Merge(&b)
	assert.Equal(t, []int{0, 1, 2, 3}, a.Seconds())
	for _, second := range both.Seconds() {
		got, want := a.Second(second), both.Second(second)
		assert.True(t, same(&want.Response, &got.Response))
		assert.True(t, same(&want.Service, &got.Service))
		assert.Equal(t, want.Failed, got.Failed)
	}
	assert.True(t, same(&a.Total().Response, &both.Total().Response))
	assert.Nil(t, a.Second(9))
}

// A timeout is censored data: left out, a stalled server would look fast.
func TestTimeoutsCountAndCancellationsDoNot(t *testing.T) {
	var s hdr.Series
	s.Add(record.Observation{Intended: time.Second, Sent: 2 * time.Second, Done: 5 * time.Second, Class: record.ClassTimeout})
	s.Add(record.Observation{Intended: time.Second, Done: time.Hour, Class: record.ClassCanceled})
	one := s.Second(1)
	assert.EqualValues(t, 1, one.Response.Count())
	assert.Equal(t, 1, one.Failed)
	assert.InEpsilon(t, float64(4*time.Second), float64(one.Response.Max()), 0.001)
	assert.InEpsilon(t, float64(3*time.Second), float64(one.Service.Max()), 0.001)
}
