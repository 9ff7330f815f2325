package bootstrap

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func recorded(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../testdata/waypoint/bootstrap.json")
	require.NoError(t, err)
	return string(raw)
}

func sockets() Sockets { return Sockets{Discovery: "/s/xds", Readiness: "/s/ready"} }

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var file map[string]any
	require.NoError(t, json.Unmarshal(raw, &file))
	return file
}

func TestRecordedBootstrap(t *testing.T) {
	adapted, err := Adapt([]byte(recorded(t)), sockets())
	require.NoError(t, err)
	assert.Equal(t, Upstreams{Discovery: "./etc/istio/proxy/XDS", Agent: "127.0.0.1:15020"}, adapted.Upstreams)
	assert.Equal(t, []string{"type.googleapis.com/istio.workload.BootstrapExtension"}, adapted.Dropped)

	before, after := decoded(t, []byte(recorded(t))), decoded(t, adapted.JSON)
	require.Len(t, before["bootstrap_extensions"], 2)
	require.Len(t, after["bootstrap_extensions"], 1)
	assert.Equal(t, before["bootstrap_extensions"].([]any)[1], after["bootstrap_extensions"].([]any)[0])
	assert.Equal(t, 1, strings.Count(string(adapted.JSON), `{"pipe":{"path":"/s/xds"}}`))
	assert.Equal(t, 1, strings.Count(string(adapted.JSON), `{"pipe":{"path":"/s/ready"}}`))
	assert.Contains(t, string(adapted.JSON), "./var/run/secrets/workload-spiffe-uds/socket", "secrets go past the adapter")

	for _, key := range []string{"node", "admin", "dynamic_resources", "layered_runtime", "stats_config", "overload_manager"} {
		assert.Equal(t, before[key], after[key], key)
	}
	assert.Equal(t, before["static_resources"].(map[string]any)["listeners"], after["static_resources"].(map[string]any)["listeners"])
}

func TestOtherSpellings(t *testing.T) {
	camel := `{"bootstrapExtensions": [{"typedConfig": {"@type": "x/istio.workload.BootstrapExtension"}}],
	  "big": 9007199254740993, "url": "a<b>&c",
	  "staticResources": {"clusters": [
	    {"name": "agent", "loadAssignment": {"endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "::1", "portValue": 15020}}}}]}]}},
	    {"name": "xds-grpc", "loadAssignment": {"endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"pipe": {"path": "p"}}}}]}]}}
	  ]}}`
	adapted, err := Adapt([]byte(camel), sockets())
	require.NoError(t, err)
	assert.Equal(t, Upstreams{Discovery: "p", Agent: "[::1]:15020"}, adapted.Upstreams)
	assert.Equal(t, []string{"x/istio.workload.BootstrapExtension"}, adapted.Dropped)
	assert.Contains(t, string(adapted.JSON), "9007199254740993")
	assert.Contains(t, string(adapted.JSON), "a<b>&c")
	assert.NotContains(t, string(adapted.JSON), "load_assignment")
}

func TestLooseJSONIsReadAsYAML(t *testing.T) {
	loose := strings.Replace(recorded(t), `"stats_config": {`, `"stats_config": { "histogram_bucket_settings": [],`, 1)
	loose = strings.Replace(loose, "[]", "[{},]", 1)
	require.False(t, json.Valid([]byte(loose)))
	adapted, err := Adapt([]byte(loose), sockets())
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:15020", adapted.Upstreams.Agent)
}

func TestUnusableBootstraps(t *testing.T) {
	without := func(old, replacement string) string { return strings.ReplaceAll(recorded(t), old, replacement) }
	for name, c := range map[string]struct{ file, want string }{
		"empty":                  {"", "parse"},
		"not a bootstrap":        {"{:", "parse"},
		"a list":                 {"[]", "parse"},
		"no discovery cluster":   {without(`"name": "xds-grpc"`, `"name": "other"`), `no endpoint for the static cluster "xds-grpc"`},
		"no agent cluster":       {without(`"name": "agent"`, `"name": "other"`), `no endpoint for the static cluster "agent"`},
		"discovery without pipe": {without(`"path": "./etc/istio/proxy/XDS"`, `"x": 1`), "not reached by a unix socket"},
		"agent without port":     {without(`"port_value": 15020`, `"x": 1`), "no host and port"},
	} {
		_, err := Adapt([]byte(c.file), sockets())
		assert.ErrorContains(t, err, c.want, name)
	}
}

func FuzzAdapt(f *testing.F) {
	raw, err := os.ReadFile("../../testdata/waypoint/bootstrap.json")
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"static_resources":{"clusters":[null,1,{"name":"agent"}]}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		adapted, err := Adapt(file, sockets())
		if err == nil {
			require.True(t, json.Valid(adapted.JSON))
		}
	})
}
