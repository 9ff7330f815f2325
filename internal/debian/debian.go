// Package debian installs packages on a bare Debian or Ubuntu machine. It is
// used for the few programs that wayproof cannot bring itself, and only as root.
package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// ErrNotHere means that this machine is not one on which packages are installed
// unasked: another system, or a user without the right.
var ErrNotHere = errors.New("not a Debian or Ubuntu machine used as root")

// Supported says whether Install may work here.
func Supported() error {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil || !isDebian(string(release)) || os.Geteuid() != 0 {
		return ErrNotHere
	}
	return nil
}

// isDebian reads os-release: Debian itself or a system that names it as its like.
func isDebian(release string) bool {
	for line := range strings.Lines(release) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key != "ID" && key != "ID_LIKE" {
			continue
		}
		for word := range strings.FieldsSeq(strings.Trim(value, `"`)) {
			if word == "debian" || word == "ubuntu" {
				return true
			}
		}
	}
	return false
}

// Install installs packages that are not there yet, refreshing the lists first.
func Install(ctx context.Context, packages ...string) error {
	if err := Supported(); err != nil {
		return fmt.Errorf("install %s: %w: install them by hand", strings.Join(packages, " "), err)
	}
	if err := apt(ctx, "update", "-qq"); err != nil {
		return err
	}
	return apt(ctx, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)...)
}

const (
	// lockTimeout has apt wait for another one, such as a machine's own upgrade.
	lockTimeout = "DPkg::Lock::Timeout=300"
	// endWait is how long apt may take to end when a run is aborted.
	endWait = time.Minute
)

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", lockTimeout}, args...)...)
	// Killed in the middle, dpkg leaves packages that have to be mended by hand.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endWait
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, lastLine(string(output)))
	}
	return nil
}

func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}
