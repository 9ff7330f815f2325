// Package supervise runs Envoy as the one child of the adapter, so that to pilot-agent the adapter
// looks like Envoy itself: same signals, same output, same exit code, and dead when it is dead. It
// does not restart anything; that is pilot-agent's decision.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Child is a program to run in the adapter's place.
type Child struct {
	Path string
	Args []string
}

// Run starts the child with the adapter's environment and standard streams, passes on each signal that
// arrives, and returns the exit code (128 plus the signal's number if a signal ended it). When ctx ends
// the child is killed. The kernel kills it too if the adapter dies: pilot-agent stops a proxy by SIGKILL.
func (c Child) Run(ctx context.Context, signals <-chan os.Signal) (int, error) {
	// The parent-death signal is tied to the thread that forked, so that thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, c.Path, c.Args...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Path, err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go relaySignals(command.Process, signals, ended)
	return exitCode(c.Path, command.Wait())
}

func relaySignals(process *os.Process, signals <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case signal := <-signals:
			// The only failure is that the child has just ended, which Wait reports.
			_ = process.Signal(signal)
		case <-ended:
			return
		}
	}
}

func exitCode(path string, err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		if err != nil {
			return 0, fmt.Errorf("wait for %s: %w", path, err)
		}
		return 0, nil
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
