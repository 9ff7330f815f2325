package nodeproxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/cmd/agent/link"
)

func TestTheTableIsRead(t *testing.T) {
	rows, err := parseTable(`NAMESPACE      SERVICE NAME   SERVICE VIP   WAYPOINT                ENDPOINTS
travel-agency  cars           10.96.119.93  waypoint-travel-agency  2/2
default        headless                     None                    1/1
`)
	require.NoError(t, err)
	assert.Equal(t, []row{
		{"travel-agency", "cars", "10.96.119.93", "waypoint-travel-agency", "2/2"},
		{"default", "headless", "", "None", "1/1"},
	}, rows)
	_, err = parseTable("Error: no ztunnel\n")
	require.ErrorContains(t, err, "3 columns")
}

// The limit is that of exact sums of binomial coefficients: twice the sum up to
// 65 is less than 1e-6 of 2^200, up to 66 it is more.
func TestSharesOfAFairCoin(t *testing.T) {
	assert.True(t, evenly(100, 200))
	assert.True(t, evenly(66, 200))
	assert.True(t, evenly(134, 200))
	assert.False(t, evenly(65, 200))
	assert.False(t, evenly(135, 200))
	assert.False(t, evenly(0, 200))
}

func TestTheFirstCutCounts(t *testing.T) {
	told := time.Now()
	before := told.Add(-time.Second)
	opened, broken, soonest := lives(link.Series{Held: []link.Held{
		{Opened: before, Ended: told.Add(time.Minute), Echoes: 9},
		{Opened: before, Ended: told.Add(26 * time.Second), Echoes: 9, Error: "EOF"},
		{Opened: told.Add(time.Second), Ended: told.Add(25 * time.Second), Echoes: 9, Error: "EOF"},
		{Opened: before, Ended: told.Add(27 * time.Second), Error: "EOF"},
	}}, told)
	assert.Equal(t, 2, opened, "later ones, and those that never echoed, were not open")
	assert.Equal(t, 3, broken)
	assert.Equal(t, 25*time.Second, soonest)
	_, broken, soonest = lives(link.Series{Held: []link.Held{{Opened: before, Ended: told.Add(time.Minute)}}}, told)
	assert.Zero(t, broken)
	assert.Greater(t, soonest, time.Minute)
}

func TestWhatGrewIsNamed(t *testing.T) {
	before := map[string]holding{"a": {files: 50, namespaces: 5, threads: 9, goroutines: 100}}
	assert.Empty(t, grown(before, before))
	assert.Empty(t, grown(before, map[string]holding{"a": {files: 50 + spare, namespaces: 5, threads: 9, goroutines: 100 + spare}}))
	for _, after := range []holding{
		{files: 51 + spare}, {namespaces: 6}, {threads: 10 + spare}, {goroutines: 101 + spare},
	} {
		assert.Contains(t, grown(before, map[string]holding{"a": after}), "a: "+after.String())
	}
	assert.Contains(t, grown(before, nil), "no proxy any more")
	assert.NotEmpty(t, grown(before, map[string]holding{"a": {pid: 2}}), "another process")
	assert.NotEmpty(t, grown(before, map[string]holding{"a": before["a"], "c": {pid: 1}}), "another node")
}
