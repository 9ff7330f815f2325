package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClosureAgreesWithTheLoader takes the dynamic loader's own word for what a
// program needs.
func TestClosureAgreesWithTheLoader(t *testing.T) {
	const program = "/usr/bin/tar"
	output, err := exec.CommandContext(t.Context(), "ldd", program).Output()
	if err != nil || !exists(libraryDirs[0]) {
		t.Skip("no Debian-like system with ldd and tar: ", err)
	}
	files, err := Closure("/", program)
	require.NoError(t, err)
	names := map[string]bool{} // the loader has two paths
	for _, file := range files {
		names[filepath.Base(file.Path)] = true
		assert.FileExists(t, file.From)
	}
	want := map[string]bool{"tar": true}
	for _, found := range regexp.MustCompile(`(?m)^\s+(\S+\.so\S*)`).FindAllSubmatch(output, -1) {
		if name := filepath.Base(string(found[1])); name != "linux-vdso.so.1" { // the kernel's
			want[name] = true
		}
	}
	assert.Equal(t, want, names)
}

func TestClosureFollowsLinksInsideTheRoot(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/alternatives"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/real.sh"), []byte("#!/bin/sh\n"), 0o700))
	require.NoError(t, os.Symlink("/etc/alternatives/tool", filepath.Join(root, "tool")))
	require.NoError(t, os.Symlink("../real.sh", filepath.Join(root, "etc/alternatives/tool")))
	files, err := Closure(root, "/tool")
	require.NoError(t, err)
	assert.Equal(t, []File{{Path: "/tool", From: filepath.Join(root, "etc/real.sh"), Mode: 0o755}}, files)

	_, err = Closure(root, "/missing")
	require.ErrorContains(t, err, "/missing is not in the base system")
	require.NoError(t, os.Symlink("/loop", filepath.Join(root, "loop")))
	_, err = Closure(root, "/loop")
	require.ErrorContains(t, err, "too many symbolic links")
}
