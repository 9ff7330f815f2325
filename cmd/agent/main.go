// Command agent is the one program that wayproof runs in pods. Each subcommand
// is a package of its own beside this file; none of them talks to Kubernetes.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/cmd/agent/idle"
	"github.com/wayproof/wayproof/cmd/agent/ledger"
	"github.com/wayproof/wayproof/cmd/agent/travel"
)

// subcommands are what the agent can be.
func subcommands() []func() *cobra.Command {
	return []func() *cobra.Command{
		idle.Command,
		ledger.Command,
		travel.Command,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
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
