//go:build linux

package deed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// enter runs a program of the node in the network namespace of a process, with
// the node's root as its own. A node that does not have it is unsupported.
func (n Node) enter(ctx context.Context, pid int, input string, argv ...string) (string, error) {
	const nsenter = "/usr/bin/nsenter"
	for _, needed := range []string{nsenter, argv[0]} {
		// A link is not followed: on Debian iptables leads to /etc/alternatives, which
		// from outside the node's root would be ours.
		if _, err := os.Lstat(filepath.Join(n.Root, needed)); err != nil {
			return "", fmt.Errorf("%w: it has no %s", ErrUnsupported, needed)
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(n.Root, nsenter), append([]string{"-t", strconv.Itoa(pid), "-n"}, argv...)...)
	cmd.Path, cmd.Dir = nsenter, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: n.Root}
	cmd.Stdin = strings.NewReader(input)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s in the network of process %d: %w: %s", strings.Join(argv, " "), pid, err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// packets says in lines what of deeds is about packets, in every network namespace
// of the node.
func (n Node) packets(ctx context.Context) ([]string, error) {
	all, err := n.all()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var lines []string
	for _, one := range all {
		space, err := os.Readlink(n.file(one.pid, "ns/net"))
		if err != nil || seen[space] || one.state == "Z" {
			continue
		}
		tables, err := n.tables(ctx, one.pid)
		qdiscs, failed := n.qdiscs(ctx, one.pid)
		switch err = errors.Join(err, failed); {
		case err == nil:
			seen[space] = true
			lines = append(lines, slices.Concat(tables, qdiscs)...)
		case n.lives(one.pid):
			return nil, fmt.Errorf("look for packet rules: %w", err)
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// lives is false of a process that has ended: what could not be read of it is gone.
func (n Node) lives(pid int) bool {
	one, err := n.read(pid)
	return err == nil && one.state != "Z"
}

// qdiscs lists what holds packets up in the network namespace of a process.
func (n Node) qdiscs(ctx context.Context, pid int) ([]string, error) {
	text, err := n.enter(ctx, pid, "", tcPath, "qdisc", "show")
	if errors.Is(err, ErrUnsupported) {
		return nil, nil
	}
	var lines []string
	for line := range strings.Lines(text) {
		// "qdisc netem 8001: dev eth0 root refcnt 2 limit 1000 delay 100ms"
		if fields := strings.Fields(line); len(fields) > 4 && fields[1] == "netem" {
			lines = append(lines, "delayed packets of "+strings.Join(fields[3:], " "))
		}
	}
	return lines, err
}
