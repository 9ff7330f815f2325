//go:build linux

package deed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// HoldArgs are the words by which a process that holds packets is told from
// others; the pod's UID follows.
const HoldArgs = "hand hold --mark"

// Queue is the number of the kernel's queue that held packets wait in, in the
// pod's own network namespace.
const Queue = 7021

// holdChain is where the packets are sent to the queue.
const holdChain = tablePrefix + "delay"

// queue starts a process that binds the pod's queue, and then sends what leaves
// the pod there. In this order, and with bypass, so that no packet ever waits
// for a process that is not there.
func (n Node) queue(ctx context.Context, d pledge.Deed) error {
	pid, err := n.anyOf(d.Pod)
	if err != nil {
		return err
	}
	held, err := n.holding(d.Pod)
	if err != nil || len(held) > 0 {
		return err
	}
	network := n.file(pid, "ns/net")
	args := append(strings.Fields(HoldArgs), d.Pod, "--network", network, "--by", d.For.String(), "--for", mostBurn.String())
	if err := start(n.Self, args); err != nil {
		return fmt.Errorf("hold packets: %w", err)
	}
	if err := n.awaitBound(d); err != nil {
		return err
	}
	return n.divert(ctx, d.Pod)
}

// start runs a process that outlives this one and ends by itself.
func start(program string, args []string) error {
	cmd := exec.Command(program, args...) //nolint:noctx // it is to outlive the caller
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s %s: %w", program, strings.Join(args, " "), err)
	}
	if err := cmd.Process.Release(); err != nil {
		return fmt.Errorf("let process %s go: %w", program, err)
	}
	return nil
}

// awaitBound waits until the kernel knows the queue.
func (n Node) awaitBound(d pledge.Deed) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(settle); time.Now().Before(end); <-ticker.C {
		switch look, err := n.queued(d); {
		case err != nil:
			return err
		case look != "":
			return nil
		}
	}
	return fmt.Errorf("%w: neither netem nor a queue for packets (nfnetlink_queue)", ErrUnsupported)
}

// divert sends what leaves a pod to the queue.
func (n Node) divert(ctx context.Context, uid string) error {
	for _, rule := range [][]string{
		{"-N", holdChain},
		{"-A", holdChain, "-j", "NFQUEUE", "--queue-num", fmt.Sprint(Queue), "--queue-bypass"},
		{"-I", "OUTPUT", "-o", delayed, "-j", holdChain},
	} {
		if err := n.mangle(ctx, uid, rule...); err != nil {
			return errors.Join(fmt.Errorf("%w: packets cannot be queued: %w", ErrUnsupported, err), n.undivert(ctx, uid))
		}
	}
	return nil
}

// undivert takes the chain away; that it was never there is no error.
func (n Node) undivert(ctx context.Context, uid string) error {
	for _, rule := range [][]string{{"-D", "OUTPUT", "-o", delayed, "-j", holdChain}, {"-F", holdChain}, {"-X", holdChain}} {
		err := n.mangle(ctx, uid, rule...)
		if err != nil && !absentRule(err) {
			return err
		}
	}
	return nil
}

// absentRule is what iptables says, by any of its versions, of a rule or chain
// that is not there, errGone of a pod, and a node that has no iptables.
func absentRule(err error) bool {
	if errors.Is(err, errGone) || errors.Is(err, ErrUnsupported) {
		return true // nor was there a program to make it
	}
	for _, said := range []string{"No chain/target/match", "does a matching rule exist", "Couldn't load target", "does not exist", "executable file not found", "No such file"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

func (n Node) mangle(ctx context.Context, uid string, rule ...string) error {
	_, err := n.inPod(ctx, uid, append([]string{"/usr/sbin/iptables", "-w", "5", "-t", "mangle"}, rule...)...)
	return err
}

// unqueue lets packets go again: first those to come, then, with the process,
// those that it still holds.
func (n Node) unqueue(ctx context.Context, d pledge.Deed) error {
	if err := n.undivert(ctx, d.Pod); err != nil {
		return err
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	signal := syscall.SIGTERM
	for end := time.Now().Add(settle + d.For); ; <-ticker.C {
		held, err := n.holding(d.Pod)
		if err != nil || len(held) == 0 {
			return err
		}
		if time.Now().After(end) {
			signal = syscall.SIGKILL
		}
		for _, one := range held {
			if err := syscall.Kill(one.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end holding process %d: %w", one.pid, err)
			}
		}
	}
}

// holding lists the processes that hold a pod's packets, any pod's if it is empty.
func (n Node) holding(uid string) ([]process, error) { return n.marked(HoldArgs, uid) }

// queued says how many packets went through the pod's queue, "" if there is no
// queue: the last number but one of its line in the kernel's table.
func (n Node) queued(d pledge.Deed) (string, error) {
	pid, err := n.anyOf(d.Pod)
	if err != nil {
		return "", err
	}
	table, err := os.ReadFile(n.file(pid, "net/netfilter/nfnetlink_queue"))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: the kernel has neither netem nor nfnetlink_queue", ErrUnsupported)
	}
	if err != nil {
		return "", fmt.Errorf("read the queues of pod %s: %w", d.Pod, err)
	}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) >= 8 && fields[0] == fmt.Sprint(Queue) {
			return fmt.Sprintf("held %s packets by %v each, %s dropped", fields[7], d.For, fields[5]), nil
		}
	}
	return "", nil
}
