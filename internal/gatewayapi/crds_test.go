package gatewayapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/gatewayapi/generate/pack"
)

func TestArchivesAreTheModulesFiles(t *testing.T) {
	for channel, packed := range map[string][]byte{"standard": standard, "experimental": experimental} {
		want, err := pack.Documents(t.Context(), channel)
		require.NoError(t, err)
		stream, err := gzip.NewReader(bytes.NewReader(packed))
		require.NoError(t, err)
		got, err := io.ReadAll(stream)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got), "%s differs from the module in go.mod: run go generate ./internal/gatewayapi", channel)
	}
}

func TestDefinitionsNameTheirChannel(t *testing.T) {
	for _, channel := range []Channel{Standard, Experimental} {
		manifests, err := Definitions(channel)
		require.NoError(t, err)
		kinds := map[string]bool{}
		for _, manifest := range manifests {
			kinds[manifest.Object.GetName()] = true
			if manifest.Object.GetKind() == "CustomResourceDefinition" {
				assert.Equal(t, string(channel), manifest.Object.GetAnnotations()["gateway.networking.k8s.io/channel"], manifest)
			}
		}
		assert.True(t, kinds["httproutes.gateway.networking.k8s.io"])
		assert.True(t, kinds["gateways.gateway.networking.k8s.io"])
	}
}

func TestParseChannel(t *testing.T) {
	for text, want := range map[string]Channel{"": Standard, "standard": Standard, "experimental": Experimental} {
		got, err := ParseChannel(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := ParseChannel("beta")
	assert.ErrorContains(t, err, `"beta"`)
}
