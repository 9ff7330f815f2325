// Package bench is the agent's subcommand that compares the load worker with
// plain vegeta from the pod it runs in; see loadgen/bench.
package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/bench"
)

// Command makes one paired run and prints it as JSON.
func Command() *cobra.Command {
	target := record.Target{Name: "bench", Method: http.MethodGet}
	load := record.Load{Timeout: 10 * time.Second, Connections: loadgen.KeepAlive, IDPrefix: "bench"}
	var allow []string
	command := &cobra.Command{
		Use:   "bench",
		Short: "Compare the load worker's rate with plain vegeta's on one target",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			load.Targets = []record.Target{target}
			c, err := bench.Pair(command.Context(), loadgen.Plan{Load: load, Allow: allow})
			if err != nil {
				return err
			}
			if err := json.NewEncoder(command.OutOrStdout()).Encode(c); err != nil {
				return fmt.Errorf("print comparison: %w", err)
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&target.URL, "url", "", "what to ask, inside the cluster")
	flags.Float64Var(&load.Rate, "rate", 500, "requests per second")
	flags.IntVar(&load.Hits, "hits", 5000, "requests of each side")
	flags.IntVar(&load.Clients, "clients", 32, "clients of the worker")
	flags.StringSliceVar(&allow, "allow", nil, "private addresses that the URL may name")
	return command
}
