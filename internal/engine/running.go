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
	// containerdPIDFile is where the containerd that dockerd starts is named.
	containerdPIDFile = "/var/run/docker/containerd/containerd.pid"
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
		process, err := running(path, "dockerd")
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

// running is the process that a pid file names, if it is that program and
// alive: the number may meanwhile belong to any other one, and a program whose
// parent never asks for its exit code stays in the table of processes.
func running(path, program string) (process string, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	process = strings.TrimSpace(string(content))
	stat, err := os.ReadFile(filepath.Join("/proc", process, "stat"))
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look at process %s of %s: %w", process, path, err)
	}
	if name, alive := readStat(string(stat)); name != program || !alive {
		return "", nil
	}
	return process, nil
}

// readStat reads a process's name and whether it is alive off its stat file:
// "number (name) state ...", where the name may hold anything.
func readStat(stat string) (name string, alive bool) {
	begin, end := strings.Index(stat, "("), strings.LastIndex(stat, ") ")
	if begin < 0 || end < begin {
		return "", false
	}
	state := stat[end+2:]
	return stat[begin+1 : end], !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// removeStaleContainerd removes the pid file of a killed engine's containerd if
// its number is no containerd's: dockerd would wait for that process for ever.
func removeStaleContainerd(path string) error {
	process, err := running(path, "containerd")
	if err != nil || process != "" {
		return err
	}
	return removeStalePID(path)
}

// removeStalePID removes the pid file of an engine that was killed, which the
// next dockerd would take for another one that runs.
func removeStalePID(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove stale pid file: %w", err)
	}
	return nil
}
