//go:build linux

package deed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// delayed is the interface of a pod whose packets are held up.
const delayed = "eth0"

// delay holds every packet that leaves the pod, by netem where the kernel has it.
func (n Node) delay(ctx context.Context, d pledge.Deed) (string, error) {
	if _, err := n.tc(ctx, d.Pod, "qdisc", "replace", "dev", delayed, "root", "netem", "delay", fmt.Sprintf("%dms", d.For.Milliseconds())); err != nil {
		return "", err
	}
	return n.queue(ctx, d)
}

func (n Node) undelay(ctx context.Context, d pledge.Deed) (string, error) {
	look, err := n.queue(ctx, d)
	if errors.Is(err, errGone) || err == nil && !strings.Contains(look, "netem") {
		return "no delay", nil
	}
	if err != nil {
		return "", err
	}
	return n.tc(ctx, d.Pod, "qdisc", "del", "dev", delayed, "root")
}

// queue is how packets wait to leave the pod.
func (n Node) queue(ctx context.Context, d pledge.Deed) (string, error) {
	return n.tc(ctx, d.Pod, "qdisc", "show", "dev", delayed)
}

func (n Node) tc(ctx context.Context, uid string, args ...string) (string, error) {
	found, err := n.ofPod(uid)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("pod %s: %w", uid, errGone)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(n.Root, "usr/bin/nsenter"), append([]string{"-t", strconv.Itoa(found[0].pid), "-n", "/usr/sbin/tc"}, args...)...)
	cmd.Path, cmd.Dir = "/usr/bin/nsenter", "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: n.Root}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	said := strings.TrimSpace(complaint.String())
	if err != nil && strings.Contains(said, "qdisc kind is unknown") {
		return "", fmt.Errorf("%w: the kernel has no netem", ErrUnsupported)
	}
	if err != nil {
		return "", fmt.Errorf("run tc %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return strings.TrimSpace(out.String()), nil
}
