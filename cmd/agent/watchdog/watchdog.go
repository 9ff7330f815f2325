// Package watchdog is the agent's subcommand that undoes faults whose harness
// is gone; see chaos/watchdog.
package watchdog

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/watchdog"
)

// Command watches as the one watchdog of the cluster.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "watchdog",
		Short: "Undo faults whose harness is gone, by calls of the API server",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			server, err := watchdog.InPod()
			if err != nil {
				return err
			}
			watch := &watchdog.Watch{Server: server, Party: pledge.Watchdog, Log: Logger(command.ErrOrStderr())}
			return watch.Run(command.Context())
		},
	}
}

// Logger writes lines with their time.
func Logger(to io.Writer) func(string, ...any) {
	return func(format string, args ...any) {
		fmt.Fprintf(to, "%s %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, args...))
	}
}
