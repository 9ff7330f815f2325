package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/env/existing"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/scene"
)

func doctorCommand() *cobra.Command {
	flags := &environmentFlags{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine, or a cluster that exists, lacks for a run",
		Long: `Looks at everything that a run needs, changes nothing, and names a remedy for
each thing that is missing: on this machine for a kind cluster, or with
--existing (or --kubeconfig) on the cluster that a kubeconfig names.

Exit codes: 0 a run is possible (it may leave out tasks that lack something),
3 it is not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.existing = flags.existing || cmd.Flags().Changed("kubeconfig")
			findings, err := flags.examine(cmd.Context())
			if err != nil {
				return err
			}
			if err := printFindings(cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			return verdictOn(findings)
		},
	}
	flags.register(cmd)
	return cmd
}

// examine looks at the machine or at the cluster, whichever is meant.
func (f *environmentFlags) examine(ctx context.Context) ([]mesh.Finding, error) {
	if !f.existing {
		environment, err := f.kindCluster()
		if err != nil {
			return nil, err
		}
		return environment.Doctor(ctx), nil
	}
	cluster, err := kube.Connect(ctx, firstPath(f.kubeconfig), f.context)
	if err != nil {
		return nil, err
	}
	namespaces, err := scene.Namespaces()
	if err != nil {
		return nil, err
	}
	return existing.Doctor(ctx, cluster, existing.Options{AgentImage: f.agentImage, Adopt: f.adopt, Namespaces: namespaces}), nil
}

// printFindings shows what was looked at, each with its remedy below it.
func printFindings(to io.Writer, findings []mesh.Finding) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, finding := range findings {
		state := "ok"
		if !finding.OK {
			state = "MISSING"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", state, finding.Check, finding.Detail)
		if !finding.OK {
			fmt.Fprintf(table, "\t\tneeded by %s; remedy: %s\n", finding.Needed, finding.Remedy)
		}
	}
	return table.Flush()
}

// verdictOn is an error if something is missing that everything needs.
func verdictOn(findings []mesh.Finding) error {
	missing := 0
	for _, finding := range findings {
		if !finding.OK && finding.Needed == mesh.Everything {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	return &exitError{code: exitCouldNotRun, err: fmt.Errorf("%d things are missing without which nothing can run", missing)}
}
