package pledge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos/pledge"
)

func sample() pledge.Pledge {
	return pledge.Pledge{
		ID: "fault-1", Run: "r1", Fault: "partition", Target: "waypoint", Deadline: time.Unix(1000, 0),
		Undo: []pledge.Step{
			{Say: "rules", Deed: &pledge.Deed{Node: "n1", Kind: pledge.Rules, Pod: "uid", Name: "t"}},
			{Say: "scale", Request: &pledge.Request{Method: "PATCH", Path: "/x", Body: []byte(`{"a":1}`)}},
			{Say: "more", Deed: &pledge.Deed{Node: "n1", Kind: pledge.Stop, Pod: "uid"}},
		},
	}
}

func TestAPledgeIsReadAsItWasWritten(t *testing.T) {
	text, err := sample().Encode()
	require.NoError(t, err)
	read, err := pledge.Decode(text)
	require.NoError(t, err)
	assert.Equal(t, sample().Undo, read.Undo)
	assert.Equal(t, []pledge.Party{pledge.Watchdog, pledge.HandOn("n1")}, read.Parties())
	assert.Len(t, read.Of(pledge.HandOn("n1")), 2)
	assert.Equal(t, "scale", read.Of(pledge.Watchdog)[0].Say)
}

func TestAnIncompletePledgeIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*pledge.Pledge){
		"no id":       func(p *pledge.Pledge) { p.ID = "" },
		"no run":      func(p *pledge.Pledge) { p.Run = "" },
		"no deadline": func(p *pledge.Pledge) { p.Deadline = time.Time{} },
		"empty step":  func(p *pledge.Pledge) { p.Undo[0].Deed = nil },
		"double step": func(p *pledge.Pledge) { p.Undo[0].Request = p.Undo[1].Request },
	} {
		p := sample()
		spoil(&p)
		_, err := p.Encode()
		assert.Error(t, err, name)
	}
	_, err := pledge.Decode("{")
	assert.Error(t, err)
}

func TestAPledgeIsOverdueBySilenceOrByItsDeadline(t *testing.T) {
	p, start := sample(), time.Unix(0, 0)
	heart := pledge.NewHeart()
	heart.See("r1", "a", start)
	assert.Empty(t, heart.Overdue(p, start.Add(pledge.Silence)))
	assert.Contains(t, heart.Overdue(p, start.Add(pledge.Silence+time.Second)), "no heartbeat")
	heart.See("r1", "a", start.Add(pledge.Silence)) // the same stamp is no beat
	assert.NotEmpty(t, heart.Overdue(p, start.Add(pledge.Silence+time.Second)))
	heart.See("r1", "b", start.Add(pledge.Silence))
	assert.Empty(t, heart.Overdue(p, start.Add(pledge.Silence+time.Second)))
	heart.See("r1", "c", time.Unix(1001, 0))
	assert.Contains(t, heart.Overdue(p, time.Unix(1001, 0)), "time was up")
}
