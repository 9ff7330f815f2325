package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// interruptedChild turns this test program into a command that never comes to
// an end of its cleaning up.
const interruptedChild = "WAYPROOF_TEST_INTERRUPTED"

func TestMain(m *testing.M) {
	if os.Getenv(interruptedChild) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := interruptible(context.Background())
	defer stop()
	fmt.Println("runs")
	<-ctx.Done()
	fmt.Println("cleans up")
	<-time.After(time.Minute)
}

func TestASecondSignalEndsWhatCleansUp(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), interruptedChild+"=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "runs", lines.Text())
	require.NoError(t, child.Process.Signal(os.Interrupt))
	require.True(t, lines.Scan(), "the first signal lets it clean up")
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	// It gives signals back their meaning at about the time at which it says that it cleans up.
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case <-ended:
			status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
			require.True(t, ok)
			assert.Equal(t, syscall.SIGINT, status.Signal())
			return
		case <-tick.C:
			_ = child.Process.Signal(os.Interrupt)
		}
	}
}
