package kind

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kind/pkg/cluster/nodes"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/progress"
)

const ztunnelRef = "docker.io/istio/ztunnel:1.31.4"

// aNode is one that is known by its name.
type aNode struct{ nodes.Node }

func (aNode) String() string { return "node" }

// TestAnArchiveMadeAnewUnderItsTagIsLoaded: what counts is the content.
func TestAnArchiveMadeAnewUnderItsTagIsLoaded(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dir, "ztunnel.tar", ztunnelRef)
	environment, _ := withEngine(t, "exec*) cat \"$TABLE\";;", Options{Archive: dir})
	first, err := overridden(t, environment, progress.New(&bytes.Buffer{}))
	require.NoError(t, err)
	wanted, err := first.digests()
	require.NoError(t, err)
	require.Contains(t, wanted, ztunnelRef)

	table := t.TempDir() + "/table"
	t.Setenv("TABLE", table)
	for name, tc := range map[string]struct {
		digest string
		lacks  int
	}{"the same": {wanted[ztunnelRef], 0}, "another one of its name": {"sha256:0123", 1}} {
		require.NoError(t, os.WriteFile(table, []byte("REF TYPE DIGEST SIZE PLATFORMS LABELS\n"+
			ztunnelRef+" application/vnd.oci.image.manifest.v1+json "+tc.digest+" 1.2 MiB linux/amd64 io.cri-containerd.image=managed \n"), 0o600))
		lacking, err := environment.lacking(t.Context(), []nodes.Node{aNode{}}, wanted)
		require.NoError(t, err)
		assert.Len(t, lacking, tc.lacks, name)
	}

	anew := archivedImage(t, "made anew")
	second, err := first.replaced(anew, progress.New(&bytes.Buffer{}))
	require.NoError(t, err)
	assert.NotEqual(t, keyOf(t, first), keyOf(t, second), "the mesh is installed again")
	held, err := image.Digests(first.layouts[0])
	require.NoError(t, err)
	wanted, err = second.digests()
	require.NoError(t, err)
	assert.Empty(t, effective(held, wanted), "what a later layout replaces is not asked for, else each up loaded both")
}

// archivedImage is a layout with ztunnel of that content.
func archivedImage(t *testing.T, content string) string {
	t.Helper()
	layout := t.TempDir() + "/layout"
	require.NoError(t, image.WriteLayout(layout, []image.Spec{{Ref: ztunnelRef, Files: []image.File{{Path: "/x", Body: []byte(content), Mode: 0o755}}}}))
	return layout
}

func keyOf(t *testing.T, p plan) string {
	t.Helper()
	options := p.ambient
	var err error
	options.Digests, err = p.componentDigests()
	require.NoError(t, err)
	require.Contains(t, options.Digests, "ztunnel")
	key, err := meshKey(options)
	require.NoError(t, err)
	return key
}
