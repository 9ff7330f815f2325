package image

import (
	"archive/tar"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func someFiles(t *testing.T) []File {
	t.Helper()
	from := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(from, []byte("#!/bin/sh\n"), 0o700))
	return []File{
		{Path: "/tmp", Dir: true, Mode: 0o1777},
		{Path: "/usr/bin/program", From: from, Mode: 0o755},
		{Path: "/usr/bin/alias", Link: "program"},
		{Path: "/etc/passwd", Body: []byte("root:x:0:0\n"), Mode: 0o644, UID: 7},
	}
}

func TestLayersDependOnFilesAlone(t *testing.T) {
	files := someFiles(t)
	first, err := Layer(files)
	require.NoError(t, err)
	want, err := first.Digest()
	require.NoError(t, err)
	shuffle := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // order, not secrets
	for range 10 {
		shuffle.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		require.NoError(t, os.Chtimes(fileNamed(files, "/usr/bin/program").From, time.Now(), time.Now()))
		again, err := Layer(files)
		require.NoError(t, err)
		got, err := again.Digest()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	fileNamed(files, "/etc/passwd").Mode = 0o600
	other, err := Layer(files)
	require.NoError(t, err)
	got, err := other.Digest()
	require.NoError(t, err)
	assert.NotEqual(t, want, got, "a mode is part of the layer")
}

func fileNamed(files []File, path string) *File {
	for i := range files {
		if files[i].Path == path {
			return &files[i]
		}
	}
	return nil
}

func TestTarHoldsFilesAndTheirFolders(t *testing.T) {
	headers := map[string]*tar.Header{}
	var order []string
	stream, err := Tar(someFiles(t))()
	require.NoError(t, err)
	defer stream.Close()
	for reader := tar.NewReader(stream); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		headers[header.Name] = header
		order = append(order, header.Name)
	}
	assert.Equal(t, []string{"etc/", "etc/passwd", "tmp/", "usr/", "usr/bin/", "usr/bin/alias", "usr/bin/program"}, order,
		"each folder once, before what it holds")
	assert.Equal(t, int64(0o1777), headers["tmp/"].Mode, "a folder that is named keeps its mode")
	assert.Equal(t, "program", headers["usr/bin/alias"].Linkname)
	assert.Equal(t, 7, headers["etc/passwd"].Uid)
	assert.True(t, headers["usr/bin/program"].ModTime.Equal(time.Unix(0, 0)))
}

func TestAMissingFileFailsTheLayer(t *testing.T) {
	_, err := Layer([]File{{Path: "/x", From: filepath.Join(t.TempDir(), "none")}})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "pack /x")
}
