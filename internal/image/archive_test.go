package image

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tarOf(t *testing.T, layout string) []byte {
	t.Helper()
	var archive bytes.Buffer
	require.NoError(t, TarFolder(&archive, layout))
	return archive.Bytes()
}

func unpackBytes(t *testing.T, content []byte) (string, error) {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "images.tar")
	require.NoError(t, os.WriteFile(archive, content, 0o600))
	return Unpack(t.Context(), &Cache{Dir: t.TempDir()}, archive)
}

func TestUnpackOCI(t *testing.T) {
	layout := writtenLayout(t, specs()...)
	dir, err := unpackBytes(t, tarOf(t, layout))
	require.NoError(t, err)
	refs, err := Refs(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"wayproof.local/one:1", "wayproof.local/two:1"}, refs)
}

func TestUnpackDocker(t *testing.T) {
	layer, err := Plain(Tar(specs()[0].Files)) // engines save nothing that zstd packed
	require.NoError(t, err)
	made, err := Assemble(specs()[0], layer)
	require.NoError(t, err)
	// The second name is what a kubelet asks for where the first is given.
	for ref, asked := range map[string]string{
		"wayproof.local/one:1": "wayproof.local/one:1", "istio/ztunnel:1.31.4": "docker.io/istio/ztunnel:1.31.4", "busybox:1": "docker.io/library/busybox:1",
	} {
		var archive bytes.Buffer
		require.NoError(t, WriteDockerArchive(&archive, ref, made))
		dir, err := unpackBytes(t, archive.Bytes())
		require.NoError(t, err)
		refs, err := Refs(dir)
		require.NoError(t, err)
		assert.Equal(t, []string{asked}, refs)
		found, err := Find(dir, asked)
		require.NoError(t, err)
		config, err := found.ConfigFile()
		require.NoError(t, err)
		assert.Equal(t, []string{"/one"}, config.Config.Entrypoint)
	}
}

func TestTruncatedArchivesAreRefused(t *testing.T) {
	whole := tarOf(t, writtenLayout(t, specs()...))
	// An archive ends with two blocks of zeros, and before them the last member is
	// filled up to a block: without those nothing is missing.
	for end := 256; end < len(whole)-3*512; end += 512 {
		_, err := unpackBytes(t, whole[:end])
		assert.Error(t, err, "cut at %d of %d", end, len(whole))
	}
}

func TestTamperedArchivesAreRefused(t *testing.T) {
	layout := writtenLayout(t, specs()...)
	blobs, err := filepath.Glob(filepath.Join(layout, "blobs", "sha256", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, blobs)
	for _, blob := range blobs {
		content, err := os.ReadFile(blob)
		require.NoError(t, err)
		changed := bytes.Clone(content)
		changed[len(changed)/2] ^= 1
		require.NoError(t, os.Chmod(blob, 0o600))
		require.NoError(t, os.WriteFile(blob, changed, 0o600))
		_, err = unpackBytes(t, tarOf(t, layout))
		assert.Error(t, err, "one bit of %s", filepath.Base(blob))
		require.NoError(t, os.WriteFile(blob, content, 0o600))
	}
	_, err = unpackBytes(t, tarOf(t, layout))
	require.NoError(t, err, "whole again")
}

func TestHostileMembersStayInside(t *testing.T) {
	for name, header := range map[string]*tar.Header{
		"above":     {Name: "../evil", Typeflag: tar.TypeReg, Size: 1, Mode: 0o644},
		"far above": {Name: "a/../../../evil", Typeflag: tar.TypeReg, Size: 1, Mode: 0o644},
		"absolute":  {Name: "/evil", Typeflag: tar.TypeReg, Size: 1, Mode: 0o644},
		"link":      {Name: "evil", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"hard link": {Name: "evil", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"device":    {Name: "evil", Typeflag: tar.TypeChar},
	} {
		t.Run(name, func(t *testing.T) {
			var archive bytes.Buffer
			writer := tar.NewWriter(&archive)
			require.NoError(t, writer.WriteHeader(&tar.Header{Name: "oci-layout", Typeflag: tar.TypeReg, Mode: 0o644}))
			require.NoError(t, writer.WriteHeader(header))
			if header.Size > 0 {
				_, err := writer.Write([]byte("x"))
				require.NoError(t, err)
			}
			require.NoError(t, writer.Close())
			file := filepath.Join(t.TempDir(), "hostile.tar")
			require.NoError(t, os.WriteFile(file, archive.Bytes(), 0o600))
			around := t.TempDir()
			_, err := Unpack(t.Context(), &Cache{Dir: filepath.Join(around, "in", "side")}, file)
			require.ErrorContains(t, err, "evil")
			left, err := os.ReadDir(around)
			require.NoError(t, err)
			assert.Len(t, left, 1, "nothing outside the cache")
		})
	}
}

func TestArchivesWithoutNamesOrImagesAreRefused(t *testing.T) {
	_, err := unpackBytes(t, tarOf(t, writtenLayout(t, Spec{Files: specs()[0].Files})))
	require.ErrorContains(t, err, "has no name")
	_, err = unpackBytes(t, tarOf(t, writtenLayout(t)))
	require.ErrorContains(t, err, "no image is in it")
	_, err = unpackBytes(t, dockerArchive(t, `[]`))
	require.ErrorContains(t, err, "no image is in it")
	_, err = unpackBytes(t, dockerArchive(t, `[{"Config": "c.json", "RepoTags": null, "Layers": []}]`)) // docker save IMAGE-ID
	require.ErrorContains(t, err, "has no name")
	var empty bytes.Buffer
	require.NoError(t, tar.NewWriter(&empty).Close())
	_, err = unpackBytes(t, empty.Bytes())
	require.ErrorContains(t, err, "neither an OCI nor a Docker archive")
	_, err = unpackBytes(t, []byte("not a tar archive, whatever its name says"))
	require.Error(t, err)
	_, err = Unpack(t.Context(), &Cache{Dir: t.TempDir()}, filepath.Join(t.TempDir(), "none.tar"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// dockerArchive is an archive of nothing but its manifest.
func dockerArchive(t *testing.T, manifest string) []byte {
	t.Helper()
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	require.NoError(t, writer.WriteHeader(&tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(manifest))}))
	_, err := writer.Write([]byte(manifest))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return archive.Bytes()
}
