package digest

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
)

// onePromise digests drawn requests for one promise; each request is shown to
// count as well.
func onePromise(t *testing.T, kind, params string, draw func(rng *rand.Rand, m *record.Memory, o *record.Observation)) *Promised {
	t.Helper()
	const hits = 400
	m := &record.Memory{Record: record.Run{
		Stages: []record.Stage{{Name: "s", Load: record.Load{Hits: hits, Rate: 40, Targets: []record.Target{{Name: "a"}, {Name: "b"}}}}},
		Plan:   record.Plan{Promises: []record.Promise{{ID: "p", Kind: kind, Stages: []string{"s"}, Params: []byte(params)}}},
	}}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, seq := range rng.Perm(hits) {
		o := &record.Observation{
			Seq: seq, Target: seq % 2, Status: 200, Class: record.ClassOK, Reused: rng.IntN(2) == 0,
			Intended: time.Duration(seq) * 25 * time.Millisecond,
		}
		o.Done = o.Intended + time.Duration(rng.IntN(20))*time.Millisecond
		draw(rng, m, o)
		require.NoError(t, m.Observation(o))
	}
	d, err := Read(t.Context(), m)
	require.NoError(t, err)
	require.NotNil(t, d.Promised["p"])
	return d.Promised["p"]
}

func TestAShareOfWhatIsSeenAtOnce(t *testing.T) {
	want, total := 0, 0
	got := onePromise(t, "share", `{"of":{"status":418,"fasterMs":10},"targets":["b"]}`, func(rng *rand.Rand, _ *record.Memory, o *record.Observation) {
		if rng.IntN(3) == 0 {
			o.Status = 418
		}
		if o.Target == 1 {
			total++
			if o.Status == 418 && o.Latency() < 10*time.Millisecond {
				want++
			}
		}
	})
	assert.Equal(t, []int{want, total}, []int{got.Path.Arms().Of(With), got.Path.Arms().Total()})
	require.Positive(t, want)
}

func traceparent(sampled bool) string {
	if sampled {
		return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	}
	return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
}

func TestAShareThatIsCollectedLater(t *testing.T) {
	want := 0
	got := onePromise(t, "share", `{"of":{"mirrored":{"service":"cars","version":"v2"},"sampled":true,"exported":true}}`, func(rng *rand.Rand, m *record.Memory, o *record.Observation) {
		mirrored, sampled, exported := rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0
		a := record.Arrival{Seq: o.Seq, Service: "cars", Version: "v1", Traceparent: traceparent(sampled)}
		require.NoError(t, m.Arrival(&a))
		if mirrored {
			a.Version = "v2"
			require.NoError(t, m.Arrival(&a))
		}
		if exported {
			require.NoError(t, m.Span(&record.Span{Seq: o.Seq}))
		}
		if mirrored && sampled && exported {
			want++
		}
	})
	assert.Equal(t, []int{want, 400}, []int{got.Path.Arms().Of(With), got.Path.Arms().Total()})
}

func TestFlowCountsTheRequestsOfThePromise(t *testing.T) {
	good, failed := map[int]int{}, map[int]int{}
	got := onePromise(t, "recovery", `{"sliceMs":500,"connections":"new","targets":["a"],"statuses":[200,404]}`, func(rng *rand.Rand, _ *record.Memory, o *record.Observation) {
		switch rng.IntN(5) {
		case 0:
			o.Status = 404
		case 1:
			o.Status = 301
		case 2:
			o.Replays = 1
		case 3:
			o.Class, o.Status = record.ClassReset, 0
		}
		if o.Reused || o.Target != 0 {
			return
		}
		slice := int(o.Intended / (500 * time.Millisecond))
		if o.Class == record.ClassOK && o.Replays == 0 && (o.Status == 200 || o.Status == 404) {
			good[slice]++
		} else {
			failed[slice]++
		}
	})
	assert.Equal(t, 500*time.Millisecond, got.Flow.Slice)
	for i := range got.Flow.Good {
		assert.Equal(t, [2]int{good[i], failed[i]}, [2]int{got.Flow.Good[i], got.Flow.Failed[i]}, "slice %d", i)
	}
	assert.Greater(t, len(good), 10)
}

func TestExportsTellLostFromSurplus(t *testing.T) {
	want := map[string]int{}
	got := onePromise(t, "traces", `{"minSpans":2}`, func(rng *rand.Rand, m *record.Memory, o *record.Observation) {
		sampled, spans := rng.IntN(2) == 0, rng.IntN(12)
		if o.Seq%10 > 0 {
			require.NoError(t, m.Arrival(&record.Arrival{Seq: o.Seq, Traceparent: traceparent(sampled)}))
		} else {
			want["blind"]++
			return
		}
		for range spans {
			require.NoError(t, m.Span(&record.Span{Seq: o.Seq}))
		}
		want[strconv.FormatBool(sampled)+strconv.Itoa(min(spans, 8))]++
	})
	require.Equal(t, 2, got.Exports.Least)
	assert.Equal(t, want["blind"], got.Exports.Blind)
	for spans := range got.Exports.Sampled {
		assert.Equal(t, want["true"+strconv.Itoa(spans)], got.Exports.Sampled[spans])
		assert.Equal(t, want["false"+strconv.Itoa(spans)], got.Exports.Dropped[spans])
	}
}

// TestLongStagesHaveLongerSlices bounds the picture, not the stage.
func TestLongStagesHaveLongerSlices(t *testing.T) {
	f := newFlow([]byte(`{}`), &record.Stage{}, 3*time.Hour)
	require.NotNil(t, f)
	assert.LessOrEqual(t, len(f.Good), mostSlices)
	assert.GreaterOrEqual(t, f.Slice*time.Duration(len(f.Good)), 3*time.Hour)
	assert.Nil(t, newFlow([]byte(`{"sliceMs":"x"}`), &record.Stage{}, time.Second), "what cannot be read has no picture")
}
