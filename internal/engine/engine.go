// Package engine finds the container engine that kind works with and, on a bare
// Debian or Ubuntu machine, installs and starts one.
//
// An engine that answers is never touched. One that wayproof starts keeps its
// settings in a folder of wayproof's own and is left running: the next cluster
// needs it too.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/wayproof/wayproof/internal/debian"
)

// Progress shows work that takes longer than a blink.
type Progress interface {
	Step(name string) func(err error)
	Note(format string, args ...any)
}

// home is where an engine that wayproof starts keeps its settings and log.
const home = "/var/lib/wayproof/engine"

// startWait bounds how long a started engine may take to answer.
const startWait = 90 * time.Second

// Name is the engine that answers: docker or podman, docker first.
func Name(ctx context.Context) (string, error) {
	var problems []error
	for _, name := range []string{"docker", "podman"} {
		err := answers(ctx, name)
		if err == nil {
			return name, nil
		}
		problems = append(problems, err)
	}
	return "", errors.Join(problems...)
}

// answers asks an engine for its version.
func answers(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, name, "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, firstLine(string(output)))
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// Ensure returns the name of an engine that answers, installing and starting
// one first where that is allowed. source is the checkout, from which the
// reduced runtime is compiled if this machine needs it.
func Ensure(ctx context.Context, source string, progress Progress) (string, error) {
	name, err := Name(ctx)
	if err == nil {
		return name, nil
	}
	if debian.Supported() != nil {
		return "", fmt.Errorf("no container engine answers, and none is installed unasked here (that is done only as root on Debian or Ubuntu): install and start Docker or Podman, then run this again: %w", err)
	}
	unlock, err := lock(ctx, home)
	if err != nil {
		return "", err
	}
	defer unlock()
	if name, err := Name(ctx); err == nil { // of the run that was waited for
		return name, nil
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		done := progress.Step("install a container engine (docker.io, iptables)")
		err := debian.Install(ctx, "docker.io", "iptables")
		done(err)
		if err != nil {
			return "", err
		}
	}
	done := progress.Step("start the container engine")
	err = start(ctx, source, progress)
	done(err)
	return "docker", err
}

// lock keeps two runs, of clusters of different names, from installing or
// starting an engine at once.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make %s: %w", dir, err)
	}
	held := flock.New(filepath.Join(dir, "lock"))
	if _, err := held.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("wait for another run that starts the container engine: %w", err)
	}
	return func() { _ = held.Unlock() }, nil
}

// lockPoll is how often a run looks whether the other one has finished.
const lockPoll = 300 * time.Millisecond

// start launches dockerd with settings of ours and waits until it answers.
func start(ctx context.Context, source string, progress Progress) error {
	config, err := configure(ctx, source, progress)
	if err != nil {
		return err
	}
	if answering, err := awaitRunning(ctx, pidFile); err != nil || answering {
		return err
	}
	if err := removeStaleContainerd(containerdPIDFile); err != nil {
		return err
	}
	logPath := filepath.Join(home, "dockerd.log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the engine's log: %w", err)
	}
	defer logFile.Close()
	if err := keepOwnFiles(); err != nil {
		return err
	}
	// Not CommandContext: the engine outlives this command on purpose, in a
	// session of its own so that Ctrl-C does not reach it.
	daemon := exec.Command("dockerd", "--config-file", config) //nolint:noctx // see above
	daemon.Stdout, daemon.Stderr = logFile, logFile
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	died := make(chan error, 1)
	go func() { died <- daemon.Wait() }()
	return awaitAnswer(ctx, died, logPath)
}

// awaitAnswer polls the engine until it answers, dies, or takes too long.
func awaitAnswer(ctx context.Context, died <-chan error, logPath string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		err := answers(ctx, "docker")
		if err == nil {
			return nil
		}
		select {
		case exit := <-died:
			return fmt.Errorf("dockerd ended as it started (%w); its log is %s: %s", exit, logPath, lastLines(logPath))
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer after %s; its log is %s: %w", startWait, logPath, err)
		case <-tick.C:
		}
	}
}

// lastLines is the end of a log, where the reason stands.
func lastLines(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
