package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAStalePIDFileIsNoObstacle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "docker.pid")
	answering, err := awaitRunning(t.Context(), path)
	require.NoError(t, err, "no file is no obstacle")
	assert.False(t, answering)
	require.NoError(t, os.WriteFile(path, []byte("1"), 0o600))
	answering, err = awaitRunning(t.Context(), path)
	require.NoError(t, err, "the number belongs to another program")
	assert.False(t, answering)
	assert.NoFileExists(t, path)
}

// TestADeadDockerdDoesNotRun: one whose parent never asks for its exit code
// stays in the table of processes, as a child of a careless first process does.
func TestADeadDockerdDoesNotRun(t *testing.T) {
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	program, err := os.ReadFile(sleep)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dockerd"), program, 0o755))
	daemon := exec.CommandContext(t.Context(), filepath.Join(dir, "dockerd"), "60")
	require.NoError(t, daemon.Start())
	number := strconv.Itoa(daemon.Process.Pid)
	path := filepath.Join(dir, "docker.pid")
	require.NoError(t, os.WriteFile(path, []byte(number+"\n"), 0o600))
	process, err := running(path, "dockerd")
	require.NoError(t, err)
	require.Equal(t, number, process)

	require.NoError(t, daemon.Process.Kill())
	assert.Eventually(t, func() bool {
		process, err := running(path, "dockerd")
		return err == nil && process == ""
	}, 10*time.Second, 5*time.Millisecond, "before anybody waited for it")
	assert.DirExists(t, filepath.Join("/proc", number))
	require.Error(t, daemon.Wait())
}

func TestReadStat(t *testing.T) {
	for stat, want := range map[string]struct {
		name  string
		alive bool
	}{
		"12 (dockerd) S 1 12":    {"dockerd", true},
		"12 (dockerd) Z 1 12":    {"dockerd", false},
		"12 (a) Z (b) c) R 1 12": {"a) Z (b) c", true},
		"cpu  1 2 3":             {"", false},
		"":                       {"", false},
	} {
		name, alive := readStat(stat)
		assert.Equal(t, want.name, name, stat)
		assert.Equal(t, want.alive, alive, stat)
	}
}

// TestAStaleContainerdIsNoObstacle: its number may have become another program's.
func TestAStaleContainerdIsNoObstacle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "containerd.pid")
	require.NoError(t, removeStaleContainerd(path), "no file is no obstacle")
	require.NoError(t, os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o600))
	require.NoError(t, removeStaleContainerd(path))
	assert.NoFileExists(t, path)
}

func TestOneRunAtATimeStartsAnEngine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "engine")
	unlock, err := lock(t.Context(), dir)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = lock(ctx, dir)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = lock(t.Context(), dir)
	require.NoError(t, err)
	unlock()
}
