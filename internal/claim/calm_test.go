package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// Of three requests the last is a control. Every 40th request the machine stops
// for a while, and makes it and what follows slow.
func calmStage(s *scene, name string, hits int, slower func(seq int) time.Duration) {
	index := s.addStage(name, hits, func(o *record.Observation) {
		o.Target = o.Seq % 3
		took := time.Millisecond
		if o.Seq%40 < 6 {
			took += 50 * time.Millisecond
		}
		if o.Target != 2 {
			took += slower(o.Seq)
		}
		o.Sent, o.First, o.Done = o.Intended, o.Intended+took, o.Intended+took
	})
	s.run.Stages[index].Load.Targets = []record.Target{{Name: "a"}, {Name: "b"}, {Name: "control"}}
}

func TestAShiftIsJudgedByCalmRequests(t *testing.T) {
	const ms = time.Millisecond
	params := ShiftParams{
		Quantiles: []int{500, 990}, BelowMs: 5, Measure: FromSent, Targets: []string{"a", "b"},
		Calm: &Calm{Controls: []string{"control"}, WithinMs: 5, Around: 2},
	}
	p := plan(t, record.Promise{Kind: KindShift, Stages: []string{"s", "with"}, Params: Params(params)})
	sound := func(int) time.Duration { return 0 }
	// A stop that is longer in one stage is the machine's; what only the requests
	// themselves show is not.
	stops := func(seq int) time.Duration {
		if seq%40 < 6 {
			return 200 * ms
		}
		return 0
	}
	oneIn20 := func(seq int) time.Duration {
		if seq%20 == 10 {
			return time.Second
		}
		return 0
	}
	for name, c := range map[string]struct {
		slower func(int) time.Duration
		want   record.Outcome
	}{
		"nothing waits":                 {sound, record.Held},
		"the machine stops for longer":  {stops, record.Held},
		"all wait":                      {func(int) time.Duration { return 7 * ms }, record.Violated},
		"all wait, for less than bound": {func(int) time.Duration { return 4 * ms }, record.Held},
		"one in twenty waits":           {oneIn20, record.Violated},
	} {
		s := new(scene)
		calmStage(s, "s", 3*p.N, sound)
		calmStage(s, "with", 3*p.N, c.slower)
		v := s.judge(t, p)
		assert.Equal(t, c.want, v.Verdict, "%s: %s %s", name, v.Detail, v.Reason)
	}
	bare := params
	bare.Calm = nil
	s := new(scene)
	calmStage(s, "s", 3*p.N, sound)
	calmStage(s, "with", 3*p.N, stops)
	all := p
	all.Params = Params(bare)
	assert.Equal(t, record.Violated, s.judge(t, all).Verdict, "by all requests the machine's stops are the mesh's")

	few := new(scene)
	calmStage(few, "s", 3*p.N, sound)
	calmStage(few, "with", p.N, sound)
	assert.Equal(t, record.Inconclusive, few.judge(t, p).Verdict)
}

func TestCalmTakesWhatLiesBetweenQuietControls(t *testing.T) {
	const ms = time.Millisecond
	stage := &record.Stage{Load: record.Load{Targets: []record.Target{{Name: "wanted"}, {Name: "control"}, {Name: "other"}}}}
	var got []time.Duration
	c, err := newCalm(stage, Calm{Controls: []string{"control"}, WithinMs: 5}, FromSent, func(one taken) { got = append(got, one.took) })
	assert.NoError(t, err)
	rows := []struct {
		target int
		took   time.Duration
		class  record.Class
	}{
		{0, 1 * ms, record.ClassOK}, // before the first control
		{1, 5 * ms, record.ClassOK},
		{0, 2 * ms, record.ClassOK},
		{2, 9 * ms, record.ClassOK},
		{0, 3 * ms, record.ClassOK},
		{1, 1 * ms, record.ClassOK},
		{0, 4 * ms, record.ClassOK},
		{1, 6 * ms, record.ClassOK}, // busy
		{0, 5 * ms, record.ClassOK},
		{1, 1 * ms, record.ClassReset}, // quick to fail is not quiet
		{0, 6 * ms, record.ClassOK},
		{1, 1 * ms, record.ClassOK},
		{0, 7 * ms, record.ClassTimeout},
		{1, 1 * ms, record.ClassOK},
		{0, 8 * ms, record.ClassOK}, // after the last control
	}
	for i := range rows { // the last first: they come by their ends
		seq := len(rows) - 1 - i
		o := &record.Observation{Seq: seq, Target: rows[seq].target, Done: rows[seq].took, Class: rows[seq].class}
		c.observe(o, o.Target == 0)
	}
	c.close()
	assert.Equal(t, []time.Duration{2 * ms, 3 * ms, 7 * ms}, got)
	assert.Equal(t, 5, c.out)
	assert.Empty(t, c.waiting)

	var two []time.Duration
	c, err = newCalm(stage, Calm{Controls: []string{"control"}, WithinMs: 5, Around: 2}, FromSent, func(one taken) { two = append(two, one.took) })
	assert.NoError(t, err)
	for seq, took := range []int{1, 1, 10, 1, 11, 1, 12, 1, 13, 6, 14, 1, 15, 1, 16, 1, 17, 1, 18, 1} {
		wanted := took >= 10
		c.observe(&record.Observation{Seq: seq, Target: map[bool]int{true: 0, false: 1}[wanted], Done: time.Duration(took) * ms, Class: record.ClassOK}, wanted)
	}
	c.close()
	assert.Equal(t, []time.Duration{10 * ms, 11 * ms, 16 * ms, 17 * ms}, two, "the 6 ms are within two controls of 12 to 15, and after 18 there is one control")
	assert.Equal(t, 5, c.out)

	for _, bad := range []Calm{{WithinMs: 5}, {Controls: []string{"control"}}, {Controls: []string{"nobody"}, WithinMs: 5}} {
		_, err := newCalm(stage, bad, FromSent, nil)
		assert.Error(t, err)
	}
}
