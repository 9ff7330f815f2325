//go:build linux

// Package hand is the agent's subcommand on a node of the cluster: it does
// deeds there when told by exec, and undoes them by itself when the harness is
// gone. See chaos/deed and chaos/watchdog.
package hand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos/deed"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/watchdog"
	agentwatchdog "github.com/wayproof/wayproof/cmd/agent/watchdog"
)

// NodeVariable names the node that the hand is on.
const NodeVariable = "WAYPROOF_NODE"

// unsupported tells the harness that the node cannot do a deed.
type unsupported struct{ error }

func (unsupported) ExitCode() int { return pledge.ExitUnsupported }

// Command is the hand with what it can be told.
func Command() *cobra.Command {
	command := &cobra.Command{Use: "hand", Short: "Do and undo deeds of faults on this node"}
	command.AddCommand(watch(), leftovers(), burn(), holdPackets(),
		ordered("do", "Do a deed, given as JSON, and print the evidence", deed.Node.Do),
		ordered("undo", "Undo a deed, given as JSON; one that was never done is no error", deed.Node.Undo),
		ordered("look", "Print what of a deed is there", deed.Node.Look))
	return command
}

func node() deed.Node { return deed.Node{Proc: "/proc", Root: "/proc/1/root", Self: "/agent"} }

func ordered(use, short string, act func(deed.Node, context.Context, pledge.Deed) (string, error)) *cobra.Command {
	return &cobra.Command{Use: use + " DEED", Short: short, Args: cobra.ExactArgs(1), RunE: func(command *cobra.Command, args []string) error {
		var order pledge.Deed
		if err := json.Unmarshal([]byte(args[0]), &order); err != nil {
			return fmt.Errorf("read deed: %w", err)
		}
		evidence, err := act(node(), command.Context(), order)
		if errors.Is(err, deed.ErrUnsupported) {
			return unsupported{err}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(command.OutOrStdout(), evidence)
		return err
	}}
}

func watch() *cobra.Command {
	return &cobra.Command{Use: "watch", Short: "Undo this node's deeds whose harness is gone", Args: cobra.NoArgs, RunE: func(command *cobra.Command, _ []string) error {
		name := os.Getenv(NodeVariable)
		if name == "" {
			return errors.New(NodeVariable + " is not set: which node is this?")
		}
		server, err := watchdog.InPod()
		if err != nil {
			return err
		}
		party := &watchdog.Watch{Server: server, Party: pledge.HandOn(name), Doer: node(), Log: agentwatchdog.Logger(command.ErrOrStderr())}
		return party.Run(command.Context())
	}}
}

func leftovers() *cobra.Command {
	return &cobra.Command{Use: "leftovers", Short: "List what of deeds is on this node", Args: cobra.NoArgs, RunE: func(command *cobra.Command, _ []string) error {
		lines, err := node().Leftovers(command.Context())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(command.OutOrStdout(), strings.Join(lines, "\n"))
		return err
	}}
}
