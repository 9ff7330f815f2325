//go:build linux

package deed

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// aPod is a process in a control group and a network namespace of its own, as
// the kubelet would make one. The test is skipped where it takes rights that
// are not there.
func aPod(t *testing.T) (uid string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	uid = "0badcafe-0000-4000-8000-" + strconv.Itoa(100000000000+os.Getpid())
	group := filepath.Join("/sys/fs/cgroup/pids", "kubepods-pod"+uid)
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		group = filepath.Join("/sys/fs/cgroup", "kubepods-pod"+uid)
	}
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skipf("no control group can be made: %v", err)
	}
	t.Cleanup(func() { _ = os.Remove(group) })
	sleeper := exec.CommandContext(t.Context(), "sleep", "60")
	sleeper.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := sleeper.Start(); err != nil {
		t.Skipf("no network namespace can be made: %v", err)
	}
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	})
	require.NoError(t, os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(sleeper.Process.Pid)), 0o644))
	return uid
}

func TestDeedsOnThisMachine(t *testing.T) {
	node := Node{Proc: "/proc", Root: "/"}
	uid := aPod(t)
	for _, d := range []pledge.Deed{
		{Kind: pledge.Stop, Pod: uid, Program: "sleep"},
		{Kind: pledge.Rules, Pod: uid, Name: "wayproof_test", Rules: []pledge.Rule{{Hook: "input", Text: "tcp dport 15008 numgen random mod 100 < 10 counter drop"}}},
	} {
		for range 2 { // both ways are repeatable
			evidence, err := node.Do(t.Context(), d)
			if errors.Is(err, ErrUnsupported) {
				t.Skip(err)
			}
			require.NoError(t, err)
			assert.NotEmpty(t, evidence)
		}
		left, err := node.Leftovers(t.Context())
		require.NoError(t, err)
		assert.NotEmpty(t, left, d.Kind)
		for range 2 {
			_, err := node.Undo(t.Context(), d)
			require.NoError(t, err)
		}
		left, err = node.Leftovers(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, left, "stopped process sleep")
		assert.NotContains(t, left, "packet rules table inet wayproof_test")
	}
}

func TestABurnEndsWhenItIsDoused(t *testing.T) {
	// The program only has to carry the words that a burn is known by.
	script := filepath.Join(t.TempDir(), "agent")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nsleep 30 & wait\n"), 0o755))
	node := Node{Proc: "/proc", Self: script}
	d := pledge.Deed{Kind: pledge.Burn, Name: "wayproof_test_" + strconv.Itoa(os.Getpid()), Workers: 1, For: time.Second}
	_, err := node.Do(t.Context(), d)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found, err := node.burning(d.Name)
		return err == nil && len(found) == 1
	}, 5*time.Second, 10*time.Millisecond)
	_, err = node.Undo(context.WithoutCancel(t.Context()), d)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found, err := node.burning(d.Name)
		return err == nil && len(found) == 0
	}, 5*time.Second, 10*time.Millisecond)
}

func TestAKilledProcessIsGone(t *testing.T) {
	node := Node{Proc: "/proc", Root: "/"}
	d := pledge.Deed{Kind: pledge.Kill, Pod: aPod(t), Program: "sleep"}
	evidence, err := node.Do(t.Context(), d)
	require.NoError(t, err)
	assert.Contains(t, evidence, "killed sleep")
	require.Eventually(t, func() bool {
		look, err := node.Look(t.Context(), d)
		return err == nil && look == "no such process"
	}, 5*time.Second, 10*time.Millisecond)
	_, err = node.Undo(t.Context(), d)
	require.NoError(t, err)
	_, err = node.Do(t.Context(), d)
	require.ErrorContains(t, err, "no process")
}
