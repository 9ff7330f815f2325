package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/record"
)

func upCommand() *cobra.Command {
	flags := &environmentFlags{}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring up kind with Istio ambient, or find it healthy",
		Long: `Brings up a kind cluster with Istio ambient, the Gateway API and metrics-server,
from images that are pulled, built on this machine, or given as archives, and
prints what runs in which version and where each image came from.

A second up finds the cluster healthy and returns within seconds; a half-made
or broken one is completed, healed or replaced. Ctrl-C removes what was begun.

With --existing it only examines the cluster that the kubeconfig names.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return up(cmd, flags) },
	}
	flags.register(cmd)
	return cmd
}

func up(cmd *cobra.Command, flags *environmentFlags) error {
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	if err := environment.Up(cmd.Context(), lines); err != nil {
		return errors.Join(err, flags.leave(cmd.Context(), environment, false, lines))
	}
	described, err := environment.Describe(cmd.Context())
	if err := errors.Join(err, flags.leave(cmd.Context(), environment, false, lines)); err != nil {
		return err
	}
	return printEnvironment(cmd.OutOrStdout(), described)
}

func downCommand() *cobra.Command {
	flags := &environmentFlags{}
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove the kind cluster and everything that came with it",
		Long: `Removes the cluster that up made: its containers, the engine's network if it came
with the cluster, and the kubeconfig entry. Cached images stay; a cluster that
wayproof did not make is not touched.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environment, err := flags.environment()
			if err != nil {
				return err
			}
			return environment.Down(cmd.Context(), progress.New(os.Stderr))
		},
	}
	flags.register(cmd)
	return cmd
}

// printEnvironment is the table that up ends with.
func printEnvironment(to io.Writer, e record.Environment) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "Kubernetes\t%s, %d nodes\n", e.Kubernetes, e.Nodes)
	fmt.Fprintf(table, "Istio\t%s\n", e.Istio)
	fmt.Fprintf(table, "Gateway API\t%s, %s\n", e.GatewayAPI, e.Channel)
	fmt.Fprintf(table, "node proxy\t%s\n", e.NodeProxy)
	fmt.Fprintf(table, "waypoint proxy\t%s\n\n", e.Waypoint)
	fmt.Fprintf(table, "COMPONENT\tVERSION\tSOURCE\tIMAGE\n")
	for _, component := range e.Components {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", component.Name, component.Version, component.Source, component.Image)
	}
	return table.Flush()
}
