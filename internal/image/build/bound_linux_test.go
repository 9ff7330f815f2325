package build

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// boundChild turns this test program into a run that starts a program and is
// killed: what follows says which file the program writes as it ends.
const boundChild = "WAYPROOF_TEST_BOUND"

func TestMain(m *testing.M) {
	file := os.Getenv(boundChild)
	if file == "" {
		os.Exit(m.Run())
	}
	cmd := bound(exec.CommandContext(context.Background(), "sh", "-c", leaving(file)))
	cmd.Stdout = os.Stdout
	_ = cmd.Run()
}

// leaving is a program that says when it runs, and leaves word when it is asked
// to end.
func leaving(file string) string {
	return "trap 'echo asked > " + file + "; kill $!; exit 0' TERM; sleep 60 & echo runs; wait"
}

func TestAProgramEndsWithAKilledRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "word")
	run := exec.CommandContext(t.Context(), os.Args[0])
	run.Env = append(os.Environ(), boundChild+"="+file)
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "runs\n", line)
	require.NoError(t, run.Process.Kill())
	require.Error(t, run.Wait())
	assert.Eventually(t, func() bool { return isThere(file) }, 10*time.Second, 5*time.Millisecond)
}

func TestAnAbortedProgramIsAskedToEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "word")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := bound(exec.CommandContext(ctx, "sh", "-c", leaving(file)))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	cancel()
	require.Error(t, cmd.Wait())
	assert.FileExists(t, file)
}

// TestMountsGoWithTheProgram needs the right to mount, as debootstrap does.
func TestMountsGoWithTheProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	dir := t.TempDir()
	output, err := alone(exec.CommandContext(t.Context(), "sh", "-c", "mount -t tmpfs none "+dir+" && grep "+dir+" /proc/self/mountinfo")).CombinedOutput()
	if err != nil && strings.Contains(string(output)+err.Error(), "permi") {
		t.Skipf("this machine withholds mounting: %v: %s", err, output)
	}
	require.NoError(t, err, string(output))
	assert.Contains(t, string(output), dir)
	ours, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(ours), dir)
}
