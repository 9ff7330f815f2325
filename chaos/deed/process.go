//go:build linux

package deed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// process is one process of the node.
type process struct {
	pid   int
	name  string
	state string // as in /proc/PID/stat: R, S, T, Z ...
	args  string
	spent time.Duration // of CPU, since it began
}

// all lists the node's processes; one that ends meanwhile is passed over.
func (n Node) all() ([]process, error) {
	entries, err := os.ReadDir(n.Proc)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		one, err := n.read(pid)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

func (n Node) read(pid int) (process, error) {
	stat, err := os.ReadFile(n.file(pid, "stat"))
	if err != nil {
		return process{}, err
	}
	args, err := os.ReadFile(n.file(pid, "cmdline"))
	if err != nil {
		return process{}, err
	}
	// The name stands in brackets and may hold anything, brackets too.
	text := string(stat)
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open || len(text) < end+3 {
		return process{}, fmt.Errorf("read process %d: stat is %q", pid, text)
	}
	return process{
		pid: pid, name: text[open+1 : end], state: text[end+2 : end+3],
		args: strings.ReplaceAll(string(args), "\x00", " "), spent: spent(text[end+2:]),
	}, nil
}

// tick is the unit of times in /proc, on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// spent is the CPU time, in user and kernel, by the fields of stat from the
// state on (proc(5): utime is field 14, stime 15, and state is 3).
func spent(fromState string) time.Duration {
	fields := strings.Fields(fromState)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	kernel, _ := strconv.Atoi(fields[12])
	return time.Duration(user+kernel) * tick
}

func (n Node) file(pid int, name string) string {
	return filepath.Join(n.Proc, strconv.Itoa(pid), name)
}

// ofPod lists the processes whose control group is one of the pod's. The
// kubelet writes the UID with dashes or, under systemd, with underscores.
func (n Node) ofPod(uid string) ([]process, error) {
	if len(uid) < 8 {
		return nil, fmt.Errorf("pod uid %q is none", uid)
	}
	all, err := n.all()
	if err != nil {
		return nil, err
	}
	var found []process
	for _, one := range all {
		groups, err := os.ReadFile(n.file(one.pid, "cgroup"))
		if err != nil {
			continue // it has ended
		}
		text := string(groups)
		if strings.Contains(text, "pod"+uid) || strings.Contains(text, "pod"+strings.ReplaceAll(uid, "-", "_")) {
			found = append(found, one)
		}
	}
	return found, nil
}

// processes are those that a stop is about.
func (n Node) processes(d pledge.Deed) ([]process, error) {
	all, err := n.ofPod(d.Pod)
	var found []process
	for _, one := range all {
		if d.Program != "" && strings.HasPrefix(one.name, d.Program) && one.state != "Z" {
			found = append(found, one)
		}
	}
	return found, err
}

func (n Node) stop(d pledge.Deed) (string, error) {
	found, err := n.processes(d)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("pod %s has no process %s* on this node", d.Pod, d.Program)
	}
	return n.signalUntil(d, syscall.SIGSTOP, true)
}

func (n Node) resume(d pledge.Deed) (string, error) { return n.signalUntil(d, syscall.SIGCONT, false) }

// kill ends processes without a word.
func (n Node) kill(d pledge.Deed) (string, error) {
	found, err := n.processes(d)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("pod %s has no process %s* on this node", d.Pod, d.Program)
	}
	for _, one := range found {
		if err := syscall.Kill(one.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return "", fmt.Errorf("kill process %d %s: %w", one.pid, one.name, err)
		}
	}
	return "killed " + states(found), nil
}

// settle bounds how long a signal may take to show.
const settle = 3 * time.Second

// signalUntil signals every process and looks until each is stopped, or none.
func (n Node) signalUntil(d pledge.Deed, signal syscall.Signal, stopped bool) (string, error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(settle); ; <-ticker.C {
		found, err := n.processes(d)
		if err != nil {
			return "", err
		}
		done, err := send(found, signal, stopped)
		if done || err != nil {
			return states(found), err
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("processes are %s %v after %v", states(found), settle, signal)
		}
	}
}

// send signals those processes that are not yet as they shall be, and says whether
// there was none.
func send(found []process, signal syscall.Signal, stopped bool) (done bool, err error) {
	done = true
	for _, one := range found {
		if (one.state == "T") == stopped {
			continue
		}
		done = false
		if err := syscall.Kill(one.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return false, fmt.Errorf("send %v to process %d %s: %w", signal, one.pid, one.name, err)
		}
	}
	return done, nil
}

func states(found []process) string {
	parts := make([]string, len(found))
	for i, one := range found {
		parts[i] = fmt.Sprintf("%s %d %s", one.name, one.pid, one.state)
	}
	if len(parts) == 0 {
		return "no such process"
	}
	return strings.Join(parts, ", ")
}

// Stopped lists every process of the node that is stopped: part of the digest.
func (n Node) Stopped() ([]string, error) {
	all, err := n.all()
	var found []string
	for _, one := range all {
		if one.state == "T" {
			found = append(found, one.name)
		}
	}
	return found, err
}

// Leftovers says in lines what of deeds is on the node: stopped processes,
// burning ones and ones that hold packets, and what delays or drops packets in the
// network namespaces of pods.
func (n Node) Leftovers(ctx context.Context) ([]string, error) {
	stopped, err := n.Stopped()
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, name := range stopped {
		lines = append(lines, "stopped process "+name)
	}
	burning, err := n.burning("")
	if err != nil {
		return nil, err
	}
	for _, one := range burning {
		lines = append(lines, "burning process "+one.args)
	}
	holding, err := n.holding("")
	if err != nil {
		return nil, err
	}
	for _, one := range holding {
		lines = append(lines, "process that holds packets "+one.args)
	}
	packets, err := n.packets(ctx)
	return append(lines, packets...), err
}
