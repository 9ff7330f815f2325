package build

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/progress"
)

// Upstream's manifests name the programs' places and the certificate's; the
// tests run the client by its name alone.
func TestEchoIsWhereUpstreamLooksForIt(t *testing.T) {
	programs := t.TempDir()
	for _, name := range echoNames {
		require.NoError(t, os.WriteFile(filepath.Join(programs, name), []byte(name), 0o600))
	}
	builder := &Builder{Cache: &image.Cache{Dir: t.TempDir()}, Progress: progress.New(&bytes.Buffer{})}
	made, err := builder.echoImage(t.Context(), programs)
	require.NoError(t, err)
	found, err := image.Find(made.Layout, made.Ref)
	require.NoError(t, err)
	config, err := found.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, []string{"/usr/local/bin/server"}, config.Config.Entrypoint)
	assert.Equal(t, "65532:65532", config.Config.User, "the node proxy captures it, and it needs no right")
	assert.Contains(t, config.Config.Env[0], "/usr/local/bin")

	other := filepath.Join(programs, echoNames[0])
	require.NoError(t, os.WriteFile(other, []byte("newer"), 0o600))
	newer, err := builder.echoImage(t.Context(), programs)
	require.NoError(t, err)
	assert.NotEqual(t, made.Ref, newer.Ref, "named after the programs")
}

func TestEchoHasACertificateOfItsKey(t *testing.T) {
	files, err := echoCertificate()
	require.NoError(t, err)
	require.Len(t, files, 2)
	assert.Equal(t, "/cert.crt", files[0].Path)
	assert.Equal(t, "/cert.key", files[1].Path)
	_, err = tls.X509KeyPair(files[0].Body, files[1].Body)
	require.NoError(t, err)
}
