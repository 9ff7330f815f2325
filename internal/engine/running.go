package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// pidFile is where dockerd says that it runs.
	pidFile = "/var/run/docker.pid"
	// takeover bounds how long a dockerd that runs may leave everybody waiting:
	// another run has just started it, or it has just been killed.
	takeover = 15 * time.Second
)

// awaitRunning waits for a dockerd that somebody else started, and says if it
// answers. With none, it removes what a killed one left behind.
func awaitRunning(ctx context.Context, path string) (answering bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		process, err := runningDockerd(path)
		if err != nil {
			return false, err
		}
		if process == "" {
			return false, removeStalePID(path)
		}
		if answers(ctx, "docker") == nil {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("dockerd runs as process %s but does not answer: look at its log, or stop it", process)
		case <-tick.C:
		}
	}
}

// runningDockerd is the process that the pid file names, if it is a dockerd:
// the number may meanwhile belong to any other program.
func runningDockerd(path string) (process string, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	process = strings.TrimSpace(string(content))
	name, err := os.ReadFile(filepath.Join("/proc", process, "comm"))
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look at process %s of %s: %w", process, path, err)
	case strings.TrimSpace(string(name)) != "dockerd":
		return "", nil
	}
	return process, nil
}

// removeStalePID removes the pid file of an engine that was killed, which the
// next dockerd would take for another one that runs.
func removeStalePID(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove stale pid file: %w", err)
	}
	return nil
}
