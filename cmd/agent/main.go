// Command agent is the one program that wayproof runs in pods. Each subcommand
// is a package of its own beside this file; none of them carries a Kubernetes client.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/cmd/agent/attack"
	"github.com/wayproof/wayproof/cmd/agent/bench"
	"github.com/wayproof/wayproof/cmd/agent/hand"
	"github.com/wayproof/wayproof/cmd/agent/idle"
	"github.com/wayproof/wayproof/cmd/agent/ledger"
	"github.com/wayproof/wayproof/cmd/agent/link"
	"github.com/wayproof/wayproof/cmd/agent/node"
	"github.com/wayproof/wayproof/cmd/agent/sink"
	"github.com/wayproof/wayproof/cmd/agent/travel"
	"github.com/wayproof/wayproof/cmd/agent/watchdog"
)

// subcommands are what the agent can be.
func subcommands() []func() *cobra.Command {
	return []func() *cobra.Command{
		attack.Command,
		bench.Command,
		hand.Command,
		idle.Command,
		ledger.Command,
		link.Command,
		node.Command,
		sink.Command,
		travel.Command,
		watchdog.Command,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		stop()
		os.Exit(exitCode(err)) //nolint:gocritic // stop has run
	}
}

// exitCode is what an error says it should be, 1 where it says nothing.
func exitCode(err error) int {
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 1
}

func root() *cobra.Command {
	command := &cobra.Command{
		Use:           "agent",
		Short:         "What wayproof runs in pods",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	for _, subcommand := range subcommands() {
		command.AddCommand(subcommand())
	}
	return command
}
