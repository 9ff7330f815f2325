package config_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/config"
)

// chart is what Istio's chart sets by default under the ambient profile.
func chart() map[string]string {
	return map[string]string{
		"CA_ADDRESS": "istiod.istio-system.svc:15012", "XDS_ADDRESS": "istiod.istio-system.svc:15012",
		"RUST_LOG": "info", "RUST_BACKTRACE": "1", "ISTIO_META_CLUSTER_ID": "Kubernetes", "INPOD_ENABLED": "true",
		"TERMINATION_GRACE_PERIOD_SECONDS": "30", "POD_NAME": "ztunnel-abc", "POD_NAMESPACE": "istio-system",
		"NODE_NAME": "node-1", "INSTANCE_IP": "10.244.1.2", "SERVICE_ACCOUNT": "ztunnel",
		"ISTIO_META_ENABLE_HBONE": "true", "ZTUNNEL_CPU_LIMIT": "2",
	}
}

func read(env map[string]string) (config.Config, error) {
	var environ []string
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	return config.Read(func(key string) (string, bool) { v, ok := env[key]; return v, ok }, environ)
}

func TestChartIsUnderstood(t *testing.T) {
	c, err := read(chart())
	require.NoError(t, err)
	assert.Equal(t, "istiod.istio-system.svc:15012", c.Plane.XDSAddress)
	assert.Equal(t, "/var/run/ztunnel/ztunnel.sock", c.Plane.ZDSSocket)
	assert.Equal(t, "/var/run/secrets/tokens/istio-token", c.Plane.TokenFile)
	assert.Equal(t, "/var/run/secrets/istio/root-cert.pem", c.Plane.RootFile)
	assert.Equal(t, config.Listen{Admin: "127.0.0.1:15000", Stats: ":15020", Readiness: ":15021"}, c.Listen)
	assert.True(t, c.PortReuse)
	assert.Nil(t, c.KeepSource)
	node, err := c.Self.XDSNode()
	require.NoError(t, err)
	assert.Equal(t, "ztunnel~10.244.1.2~ztunnel-abc.istio-system~istio-system.svc.cluster.local", node.GetId())
	assert.Equal(t, map[string]any{
		"NAME": "ztunnel-abc", "NAMESPACE": "istio-system", "INSTANCE_IPS": "10.244.1.2", "NODE_NAME": "node-1",
		"CLUSTER_ID": "Kubernetes", "ENABLE_HBONE": "true", "SERVICE_ACCOUNT": "ztunnel",
	}, node.GetMetadata().AsMap())
}

func TestVariations(t *testing.T) {
	env := chart()
	maps.Copy(env, map[string]string{
		"XDS_ADDRESS": "https://istiod:15012", "LOG_FORMAT": "json", "INPOD_PORT_REUSE": "false",
		"ENABLE_ORIG_SRC": "false", "ISTIO_METAJSON_LABELS": `{"app":"ztunnel"}`, "NETWORK": "net1",
	})
	c, err := read(env)
	require.NoError(t, err)
	assert.Equal(t, "istiod:15012", c.Plane.XDSAddress)
	assert.True(t, c.LogJSON)
	assert.False(t, c.PortReuse)
	assert.False(t, *c.KeepSource)
	assert.Equal(t, map[string]any{"app": "ztunnel"}, c.Self.Metadata["LABELS"])
	assert.Equal(t, "net1", c.Self.Network)
}

func TestWhatIsMissingOrWrongIsNamed(t *testing.T) {
	for _, key := range []string{"CA_ADDRESS", "XDS_ADDRESS", "POD_NAME", "POD_NAMESPACE", "NODE_NAME", "INSTANCE_IP"} {
		env := chart()
		delete(env, key)
		_, err := read(env)
		require.ErrorContains(t, err, key)
	}
	for key, value := range map[string]string{
		"INSTANCE_IP": "x", "TERMINATION_GRACE_PERIOD_SECONDS": "soon", "INPOD_PORT_REUSE": "perhaps",
		"ENABLE_ORIG_SRC": "perhaps", "ISTIO_METAJSON_X": "{",
	} {
		env := chart()
		env[key] = value
		_, err := read(env)
		require.Error(t, err, key)
	}
}

func TestDrainTime(t *testing.T) {
	for grace, want := range map[time.Duration]time.Duration{
		30 * time.Second: 25 * time.Second, 11 * time.Second: 6 * time.Second,
		10 * time.Second: 9 * time.Second, time.Second: 0, 0: 0,
	} {
		assert.Equal(t, want, config.Config{Grace: grace}.DrainTime(), grace)
	}
}
