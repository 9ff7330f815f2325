package supervise

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asAdapter makes the test binary a supervisor of the shell script in the variable.
const asAdapter = "SUPERVISE_SCRIPT"

func TestMain(m *testing.M) {
	if script := os.Getenv(asAdapter); script != "" {
		code, err := shell(script).Run(context.Background(), nil)
		if err != nil {
			code = 99
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func shell(script string) Child { return Child{Path: "/bin/sh", Args: []string{"-c", script}} }

func TestExitCodes(t *testing.T) {
	for script, want := range map[string]int{
		"exit 0": 0, "exit 7": 7, "kill -TERM $$": 128 + int(syscall.SIGTERM), "kill -KILL $$": 128 + int(syscall.SIGKILL),
	} {
		code, err := shell(script).Run(t.Context(), nil)
		require.NoError(t, err, script)
		assert.Equal(t, want, code, script)
	}
	_, err := Child{Path: "/does/not/exist"}.Run(t.Context(), nil)
	assert.ErrorContains(t, err, "start /does/not/exist")
}

func TestSignalsReachTheChild(t *testing.T) {
	ready := t.TempDir() + "/ready"
	require.NoError(t, syscall.Mkfifo(ready, 0o600))
	signals := make(chan os.Signal, 1)
	go func() {
		_, _ = os.ReadFile(ready) // returns when the child has set its trap
		signals <- syscall.SIGTERM
	}()
	code, err := shell("trap 'exit 5' TERM; echo > "+ready+"; while :; do sleep 0.05; done").Run(t.Context(), signals)
	require.NoError(t, err)
	assert.Equal(t, 5, code)
}

func TestChildDiesWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	code, err := Child{Path: "/bin/sleep", Args: []string{"600"}}.Run(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, 128+int(syscall.SIGKILL), code)
}

// pilot-agent kills the proxy with SIGKILL, which cannot be passed on: the kernel has to do it.
func TestChildDiesWithAKilledAdapter(t *testing.T) {
	adapter := exec.Command(os.Args[0])
	adapter.Env = append(os.Environ(), asAdapter+"=echo $$; exec sleep 600")
	output, err := adapter.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, adapter.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.NoError(t, adapter.Process.Kill())
	require.Error(t, adapter.Wait())
	assert.Eventually(t, func() bool { return gone(child) }, 5*time.Second, 10*time.Millisecond)
}

// gone is true for a process that ended, also while nobody has collected it.
func gone(pid int) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	return strings.HasPrefix(after, "Z")
}
