//go:build linux

package deed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// tablePrefix begins the name of every table that deeds make.
const tablePrefix = "wayproof_"

// tableName must be safe in a program for nft.
var tableName = regexp.MustCompile(`^` + tablePrefix + `[a-z0-9_]{1,40}$`)

// program is the deed in nftables' language. Declaring the table before
// deleting it makes the whole repeatable, and nft applies a file as one
// transaction: all of it or nothing.
func program(d pledge.Deed) (string, error) {
	if !tableName.MatchString(d.Name) {
		return "", fmt.Errorf("table name %q is not %s", d.Name, tableName)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "table inet %[1]s\ndelete table inet %[1]s\ntable inet %[1]s {\n", d.Name)
	for _, hook := range []string{"input", "output"} {
		fmt.Fprintf(&text, "\tchain %[1]s {\n\t\ttype filter hook %[1]s priority -150; policy accept;\n", hook)
		for _, rule := range d.Rules {
			if rule.Hook == hook {
				fmt.Fprintf(&text, "\t\t%s\n", rule.Text)
			}
		}
		text.WriteString("\t}\n")
	}
	text.WriteString("}\n")
	return text.String(), nil
}

func (n Node) rules(ctx context.Context, d pledge.Deed) (string, error) {
	text, err := program(d)
	if err != nil {
		return "", err
	}
	if _, err := n.nft(ctx, d.Pod, text); err != nil {
		return "", err
	}
	return n.ruleset(ctx, d)
}

func (n Node) unrule(ctx context.Context, d pledge.Deed) (string, error) {
	if !tableName.MatchString(d.Name) {
		return "", fmt.Errorf("table name %q is not %s", d.Name, tableName)
	}
	_, err := n.nft(ctx, d.Pod, fmt.Sprintf("table inet %[1]s\ndelete table inet %[1]s\n", d.Name))
	if errors.Is(err, errGone) {
		return "the pod is gone, and its rules with it", nil
	}
	return "no table " + d.Name, err
}

// ruleset is the table with its counters, "" if there is none.
func (n Node) ruleset(ctx context.Context, d pledge.Deed) (string, error) {
	text, err := n.nft(ctx, d.Pod, "list ruleset\n")
	if err != nil {
		return "", err
	}
	_, after, found := strings.Cut(text, "table inet "+d.Name+" {")
	if !found {
		return "", nil
	}
	body, _, _ := strings.Cut(after, "\n}")
	return strings.Join(strings.Fields(body), " "), nil
}

// errGone is a pod without processes on this node.
var errGone = errors.New("the pod has no process on this node")

// nft runs a program for nft in the network namespace of a pod.
func (n Node) nft(ctx context.Context, uid, text string) (string, error) {
	pid, err := n.anyOf(uid)
	if err != nil {
		return "", err
	}
	return n.nftAt(ctx, pid, text)
}

func (n Node) nftAt(ctx context.Context, pid int, text string) (string, error) {
	out, err := n.enter(ctx, pid, text, "/usr/sbin/nft", "-f", "-")
	if err != nil && strings.Contains(err.Error(), "Operation not supported") {
		return "", fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return out, err
}

// named is true of a line that begins a table or chain of ours.
func named(fields []string) bool {
	return len(fields) >= 2 && (fields[0] == "table" || fields[0] == "chain") &&
		slices.ContainsFunc(fields[1:], func(word string) bool { return strings.HasPrefix(word, tablePrefix) })
}

// tables lists our tables and chains in the network namespace of a process.
func (n Node) tables(ctx context.Context, pid int) ([]string, error) {
	text, err := n.nftAt(ctx, pid, "list ruleset\n")
	if errors.Is(err, ErrUnsupported) {
		return nil, nil // then there can be none of ours
	}
	var lines []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); named(fields) {
			lines = append(lines, "packet rules "+strings.TrimSuffix(strings.Join(fields, " "), " {"))
		}
	}
	return lines, err
}
