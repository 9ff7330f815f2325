// Package idle is the agent's subcommand for a pod that only has to be there:
// the place from which load is driven by exec, captured by the mesh like any
// workload. It serves nothing.
package idle

import "github.com/spf13/cobra"

// Command waits until it is told to end.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "idle",
		Short: "Wait for a signal: a pod to exec in",
		Args:  cobra.NoArgs,
		Run:   func(command *cobra.Command, _ []string) { <-command.Context().Done() },
	}
}
