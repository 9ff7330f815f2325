package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/progress"
)

func healCommand() *cobra.Command {
	flags := &environmentFlags{}
	cmd := &cobra.Command{
		Use:   "heal",
		Short: "Undo every fault that is written down in the cluster",
		Long: `Carries out what every pledge in the cluster says and takes the pledges away.
The watchdog does the same by itself when a harness dies; this is for where it
cannot. Each undo may be carried out any number of times.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environment, err := flags.environment()
			if err != nil {
				return err
			}
			cluster, err := kube.Connect(cmd.Context(), environment.Kubeconfig(), environment.Context())
			if err != nil {
				return err
			}
			lines := progress.New(cmd.ErrOrStderr())
			healed, err := post.New(cluster, kube.Owner{Run: "heal"}, "").Heal(cmd.Context())
			for _, line := range healed {
				lines.Note("%s", line)
			}
			if err != nil {
				return fmt.Errorf("heal: %w", err)
			}
			if len(healed) == 0 {
				lines.Note("nothing is written down: there is nothing to undo")
			}
			return nil
		},
	}
	flags.register(cmd)
	return cmd
}
