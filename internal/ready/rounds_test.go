package ready

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func at(id, istiod, sent, acked string) map[string]proxy {
	return map[string]proxy{id: {ID: id, Istiod: istiod, Types: map[string]delivery{listeners: {Sent: sent, Acked: acked}}}}
}

func TestTallyCountsChangesOfOneStream(t *testing.T) {
	const pod = "waypoint-a.travel-agency"
	wanted := []string{pod}
	tally := newTally(listeners)

	moved, state := tally.moved(wanted)
	assert.False(t, moved)
	assert.Equal(t, pod+" has no stream to istiod", state)

	tally.note(wanted, at(pod, "istiod-1", "n0", ""))
	tally.mark()
	tally.note(wanted, at(pod, "istiod-1", "n0", "n0"))
	moved, state = tally.moved(wanted)
	assert.False(t, moved, "an acknowledgement is no push")
	assert.Equal(t, pod+" was sent 0 of 4 pushes", state)

	tally.note(wanted, at(pod, "istiod-1", "n1", "n0"))
	moved, _ = tally.moved(wanted)
	assert.True(t, moved)
	assert.Equal(t, 1, tally.least(wanted))

	tally.mark()
	tally.note(wanted, at(pod, "istiod-2", "n2", "n2"))
	assert.Equal(t, 0, tally.least(wanted), "another istiod's queue: the count begins anew")

	tally.note(wanted, map[string]proxy{})
	moved, _ = tally.moved(wanted)
	assert.False(t, moved, "gone")
}

func TestTallyLetsANewcomerJoin(t *testing.T) {
	tally := newTally(listeners)
	tally.note([]string{"a.ns"}, at("a.ns", "i", "n0", "n0"))
	tally.mark()
	tally.note([]string{"a.ns"}, at("a.ns", "i", "n1", "n1"))
	both := at("a.ns", "i", "n1", "n1")
	both["b.ns"] = at("b.ns", "i", "m0", "m0")["b.ns"]
	tally.note([]string{"a.ns", "b.ns"}, both)
	moved, state := tally.moved([]string{"a.ns", "b.ns"})
	assert.True(t, moved, state)
	assert.Equal(t, 0, tally.least([]string{"a.ns", "b.ns"}), "more rounds follow for b")
}

func TestAcknowledged(t *testing.T) {
	const pod = "w.ns"
	for name, tc := range map[string]struct {
		proxies  map[string]proxy
		waiting  string
		rejected string
	}{
		"all answered":  {at(pod, "i", "n", "n"), "", ""},
		"not connected": {nil, "w.ns has no stream to istiod", ""},
		"open":          {at(pod, "i", "n2", "n1"), "w.ns: Listener not acknowledged", ""},
		"refused": {
			map[string]proxy{pod: {ID: pod, Types: map[string]delivery{clusters: {Sent: "n2", Acked: "n1", Error: "bad cluster"}}}},
			"w.ns: Cluster not acknowledged", "w.ns refused the configuration that istiod sent it: Cluster: bad cluster",
		},
	} {
		waiting, rejected := acknowledged([]string{pod}, tc.proxies)
		assert.Equal(t, tc.waiting, waiting, name)
		if tc.rejected == "" {
			assert.Nil(t, rejected, name)
			continue
		}
		require.NotNil(t, rejected, name)
		assert.Equal(t, tc.rejected, rejected.Error(), name)
	}
}

// model is istiod's way of pushing to one proxy, as the package comment tells
// it: one snapshot being built, one merged push that waits, one in the making.
// Numbers are the state of the store that a snapshot was built from.
type model struct {
	store                   int
	building, queued, doing int // 0 = none
	sent                    []int
}

// step does one thing that istiod could do now, chosen at random.
func (m *model) step(random *rand.Rand) {
	switch random.IntN(4) {
	case 0: // begin a snapshot
		if m.building == 0 {
			m.building = m.store
		}
	case 1: // queue it, merging with what waits
		if m.building != 0 {
			m.queued, m.building = m.building, 0
		}
	case 2: // take up the next push
		if m.doing == 0 && m.queued != 0 {
			m.doing, m.queued = m.queued, 0
		}
	case 3: // send it
		if m.doing != 0 {
			m.sent = append(m.sent, m.doing)
			m.doing = 0
		}
	}
}

// staleAt runs random histories and counts those in which the n-th response
// after a change of the store is of a snapshot from before it.
func staleAt(n, histories int, random *rand.Rand) int {
	stale := 0
	for range histories {
		m := &model{store: 1}
		for range random.IntN(40) {
			m.step(random)
		}
		m.store, m.sent = 2, nil
		for len(m.sent) < n {
			m.step(random)
		}
		if m.sent[n-1] != 2 {
			stale++
		}
	}
	return stale
}

func TestFourResponsesAreEnoughAndThreeAreNot(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	assert.Zero(t, staleAt(Rounds, 20000, random))
	assert.NotZero(t, staleAt(Rounds-1, 20000, random), "else a round could be saved")
}

func TestReadSyncz(t *testing.T) {
	newer := `[{"proxy":"w.ns","proxy_type":"waypoint","listener_sent":"a","listener_acked":"a",
	  "resources":{"type.googleapis.com/envoy.config.listener.v3.Listener":{"sent":"a","acked":"a","sentTime":"2026-11-23T10:00:00Z"},
	  "type.googleapis.com/istio.workload.Address":{"sent":"x","acked":"y","lastError":"no"}}}]`
	older := `[{"proxy":"w.ns","cluster_sent":"c","cluster_acked":"c","listener_sent":"a","listener_acked":"b"}]`

	proxies, err := readSyncz("istiod-1", []byte(newer))
	require.NoError(t, err)
	require.Len(t, proxies, 1)
	assert.Equal(t, delivery{Sent: "a", Acked: "a"}, proxies[0].Types[listeners])
	assert.Equal(t, delivery{Sent: "x", Acked: "y", Error: "no"}, proxies[0].Types[addresses])

	proxies, err = readSyncz("istiod-1", []byte(older))
	require.NoError(t, err)
	assert.True(t, proxies[0].Types[listeners].open())
	assert.False(t, proxies[0].Types[clusters].open())

	_, err = readSyncz("istiod-1", []byte("Proxy not connected"))
	assert.ErrorContains(t, err, "read syncz of istiod-1")
}

func TestMarkersCarryTheEditionWhereIstiodShowsIt(t *testing.T) {
	first := edition{}.next()
	manifests, err := render(first)
	require.NoError(t, err)
	text := ""
	for _, manifest := range manifests {
		assert.Equal(t, Namespace, manifest.Object.GetNamespace(), manifest)
		text += fmt.Sprint(manifest.Object.Object)
	}
	for _, kind := range kinds {
		assert.Contains(t, text, kind+"-"+first.nonce)
	}
	assert.Contains(t, text, fmt.Sprint("port:", first.port()))
}

func TestEditionsDiffer(t *testing.T) {
	e := edition{}
	for range 70000 {
		next := e.next()
		require.NotEqual(t, e.nonce, next.nonce)
		require.NotEqual(t, e.port(), next.port())
		require.True(t, next.port() >= 1024 && next.port() < 65536)
		e = next
	}
}
