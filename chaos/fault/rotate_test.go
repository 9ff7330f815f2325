package fault

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos"
)

func TestRotationsAreThoseOfTheSlowestReplica(t *testing.T) {
	for name, c := range map[string]struct {
		serials map[string][]string
		want    int
	}{
		"nobody was seen":      {nil, 0},
		"the first is no turn": {map[string][]string{"a": {"1"}}, 0},
		"one lags":             {map[string][]string{"a": {"1", "2", "3", "4"}, "b": {"5", "6"}}, 1},
		"both":                 {map[string][]string{"a": {"1", "2", "3", "4"}, "b": {"5", "6", "7", "8"}}, 3},
	} {
		assert.Equal(t, c.want, (&rotations{serials: c.serials}).least(), name)
	}
	require.NoError(t, (&rotations{}).stop(t.Context()), "one that never began stops all the same")
}

// The page is what Envoy 1.40 shows under /certs, cut down.
func TestACertificateIsReadAsEnvoyShowsIt(t *testing.T) {
	var one certificate
	require.NoError(t, json.Unmarshal([]byte(`{"path":"<inline>","serial_number":"0a1b",
		"subject_alt_names":[{"uri":"spiffe://cluster.local/ns/travel-agency/sa/waypoint-travel-agency"}],
		"days_until_expiration":"0","valid_from":"2026-11-23T22:45:00Z","expiration_time":"2026-11-23T22:47:40Z"}`), &one))
	assert.Equal(t, "0a1b", one.Serial)
	assert.Equal(t, time.Date(2026, 11, 23, 22, 47, 40, 0, time.UTC), one.Expires)
	assert.Contains(t, one.Names[0].URI, "spiffe://")
}

func TestALifetimeIsBounded(t *testing.T) {
	for _, ttl := range []string{"", "1s", "24h", "soon"} {
		_, err := rotate(t.Context(), Site{}, chaos.Spec{Params: map[string]string{"ttl": ttl}})
		assert.ErrorContains(t, err, "is not from 20s to 1h", ttl)
	}
}

func TestAVariableIsSetAndTakenAwayByName(t *testing.T) {
	set, err := environment("n/d", "c", map[string]any{"name": "X", "value": "1"})
	require.NoError(t, err)
	assert.Equal(t, "/apis/apps/v1/namespaces/n/deployments/d", set.Request.Path)
	assert.JSONEq(t, `{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"X","value":"1"}]}]}}}}`, string(set.Request.Body))
	unset, err := environment("n/d", "c", map[string]any{"name": "X", "$patch": "delete"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"X","$patch":"delete"}]}]}}}}`, string(unset.Request.Body))
}
