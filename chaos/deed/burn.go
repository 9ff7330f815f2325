//go:build linux

package deed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// BurnArgs are the words by which a burning process is told from others; the
// mark follows.
const BurnArgs = "hand burn --mark"

// mostBurn bounds a burn by its own timer.
const mostBurn = 10 * time.Minute

// burn starts a process of its own, which outlives this one and ends by itself.
func (n Node) burn(_ context.Context, d pledge.Deed) (string, error) {
	if !tableName.MatchString(d.Name) || d.Workers < 1 || d.For <= 0 || d.For > mostBurn {
		return "", fmt.Errorf("burn %q with %d workers for %v: out of bounds", d.Name, d.Workers, d.For)
	}
	args := append(strings.Fields(BurnArgs), d.Name, "--workers", strconv.Itoa(d.Workers), "--for", d.For.String())
	if err := start(n.Self, args); err != nil {
		return "", fmt.Errorf("burn: %w", err)
	}
	return fmt.Sprintf("%d workers burn for at most %v", d.Workers, d.For), nil
}

// burning lists burning processes with a mark, all if it is empty.
func (n Node) burning(mark string) ([]process, error) { return n.marked(BurnArgs, mark) }

// marked lists living processes by words of their command line and the mark
// that follows them.
func (n Node) marked(words, mark string) ([]process, error) {
	all, err := n.all()
	var found []process
	for _, one := range all {
		if strings.Contains(one.args, strings.TrimSpace(words+" "+mark)) && one.state != "Z" {
			found = append(found, one)
		}
	}
	return found, err
}

// burnt says how many processes burn and for how long they had a CPU: a thread
// that is given none burns nothing.
func (n Node) burnt(mark string) (string, error) {
	found, err := n.burning(mark)
	var spent time.Duration
	for _, one := range found {
		spent += one.spent
	}
	return fmt.Sprintf("%d burning, %.1f s of CPU burnt", len(found), spent.Seconds()), err
}

func (n Node) douse(d pledge.Deed) (string, error) {
	found, err := n.burning(d.Name)
	if err != nil {
		return "", err
	}
	for _, one := range found {
		if err := syscall.Kill(one.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return "", fmt.Errorf("end burning process %d: %w", one.pid, err)
		}
	}
	return fmt.Sprintf("%d burning processes ended", len(found)), nil
}
