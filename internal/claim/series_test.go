package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// sampled makes a stage with one sample per second of a series.
func sampled(series string, values ...float64) *scene {
	s := new(scene)
	s.addStage("s", 0, nil)
	s.run.Stages[0].Ended = epoch.Add(time.Duration(len(values)) * time.Second)
	for i, value := range values {
		s.samples = append(s.samples, record.Sample{At: epoch.Add(time.Duration(i+1) * time.Second), Series: series, Value: value})
	}
	return s
}

func seriesPromise(t *testing.T, conditions ...SeriesCondition) record.Promise {
	t.Helper()
	return plan(t, record.Promise{Kind: KindSeries, Params: Params(SeriesParams{Conditions: conditions})})
}

func TestReplicasOverTime(t *testing.T) {
	p := seriesPromise(t,
		SeriesCondition{Series: "hpa/ready", Reach: &Range{AtLeast: ptr(3.0)}, WithinMs: 4000, Never: &Range{Above: ptr(5.0)}},
		SeriesCondition{Series: "hpa/ready", Never: &Range{Below: ptr(2.0)}})
	for name, c := range map[string]struct {
		values  []float64
		want    record.Outcome
		mention string
	}{
		"scales":            {[]float64{2, 2, 3, 4, 5}, record.Held, ""},
		"at the last sec":   {[]float64{2, 2, 2, 3, 3}, record.Held, ""},
		"a second too late": {[]float64{2, 2, 2, 2, 3}, record.Violated, "never was ≥ 3 within 4s"},
		"never":             {[]float64{2, 2, 2, 2, 2}, record.Violated, "never was ≥ 3"},
		"too many":          {[]float64{2, 3, 6, 5, 5}, record.Violated, "was 6, want never > 5"},
		"too few":           {[]float64{2, 3, 1, 5, 5}, record.Violated, "was 1, want never < 2"},
		"ended early":       {[]float64{2, 2}, record.Inconclusive, "only watched for 2s of 4s"},
		"no samples":        {nil, record.Inconclusive, "has no samples"},
	} {
		v := sampled("hpa/ready", c.values...).judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
		assert.Contains(t, v.Detail, c.mention, name)
	}
	shuffled := sampled("hpa/ready", 2, 2, 3, 4, 5)
	shuffled.samples[0], shuffled.samples[4] = shuffled.samples[4], shuffled.samples[0]
	assert.Equal(t, record.Held, shuffled.judge(t, p).Verdict)
}

func TestOtherSeriesConditions(t *testing.T) {
	for name, c := range map[string]struct {
		condition SeriesCondition
		values    []float64
		want      record.Outcome
	}{
		"always":            {SeriesCondition{Always: &Range{AtLeast: ptr(1.0), AtMost: ptr(2.0)}}, []float64{1, 2}, record.Held},
		"not always":        {SeriesCondition{Always: &Range{AtLeast: ptr(1.0), AtMost: ptr(2.0)}}, []float64{1, 2.5}, record.Violated},
		"in the end":        {SeriesCondition{Last: &Range{AtMost: ptr(2.0)}}, []float64{5, 2}, record.Held},
		"not in the end":    {SeriesCondition{Last: &Range{AtMost: ptr(2.0)}}, []float64{2, 5}, record.Violated},
		"occurs":            {SeriesCondition{Occurs: &Occurs{Value: 429, AtLeast: 2}}, []float64{201, 429, 429}, record.Held},
		"occurs too little": {SeriesCondition{Occurs: &Occurs{Value: 429, AtLeast: 2}}, []float64{201, 429, 201}, record.Violated},
		"never asked":       {SeriesCondition{Occurs: &Occurs{Value: 429, AtLeast: 2}}, nil, record.Inconclusive},
		"any time":          {SeriesCondition{Reach: &Range{Above: ptr(4.0)}}, []float64{1, 1, 1, 5}, record.Held},
		"well sampled":      {SeriesCondition{Always: &Range{AtLeast: ptr(1.0)}, MaxGapMs: 1000}, []float64{1, 1}, record.Held},
		"badly sampled":     {SeriesCondition{Always: &Range{AtLeast: ptr(1.0)}, MaxGapMs: 999}, []float64{1, 1}, record.Inconclusive},
	} {
		c.condition.Series = "x"
		v := sampled("x", c.values...).judge(t, seriesPromise(t, c.condition))
		assert.Equal(t, c.want, v.Verdict, "%s: %s", name, v.Detail)
	}
	words := seriesPromise(t, SeriesCondition{Series: "x", Text: "True"})
	s := sampled("x", 1, 1)
	s.samples[0].Text, s.samples[1].Text = "True", "True"
	assert.Equal(t, record.Held, s.judge(t, words).Verdict)
	s.samples[1].Text = "False"
	assert.Equal(t, `x was "False", want "True"`, s.judge(t, words).Signature)
}

func TestRowsOfATable(t *testing.T) {
	params := RowsParams{Series: "services/travel", Rows: map[string]string{"cars": "8000 waypoint", "hotels": "8000 waypoint"}}
	p := plan(t, record.Promise{Kind: KindRows, Params: Params(params)})
	build := func(rows ...[2]string) *scene {
		s := new(scene)
		s.addStage("s", 0, nil)
		for i, row := range rows {
			s.samples = append(s.samples, record.Sample{At: epoch.Add(time.Duration(i) * time.Second), Series: "services/travel/" + row[0], Text: row[1]})
		}
		return s
	}
	good := [][2]string{{"cars", "old"}, {"cars", "8000 waypoint"}, {"hotels", "8000 waypoint"}}
	assert.Equal(t, record.Held, build(good...).judge(t, p).Verdict)
	for mention, rows := range map[string][][2]string{
		"hotels: missing":                   good[:2],
		`cars: "old", want "8000 waypoint"`: {good[1], {"cars", "old"}, good[2]},
		"flights: not wanted":               append(good, [2]string{"flights", "x"}),
	} {
		v := build(rows...).judge(t, p)
		assert.Equal(t, record.Violated, v.Verdict)
		assert.Contains(t, v.Detail, mention)
	}
	assert.Equal(t, record.Inconclusive, build().judge(t, p).Verdict)
	params.Subset, params.Absent = true, []string{"old"}
	p = plan(t, record.Promise{Kind: KindRows, Params: Params(params)})
	assert.Equal(t, record.Held, build(append(good, [2]string{"flights", "x"})...).judge(t, p).Verdict)
	assert.Equal(t, record.Violated, build(append(good, [2]string{"old", "x"})...).judge(t, p).Verdict)
}
