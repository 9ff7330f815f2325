// Package node is the agent's subcommand for a privileged pod in a node's own
// namespaces: it looks at packets and at processes. It changes nothing.
package node

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Command groups what can be looked at.
func Command() *cobra.Command {
	command := &cobra.Command{Use: "node", Short: "Look at a node's packets and processes", Args: cobra.NoArgs}
	command.AddCommand(sniffCommand(), handlesCommand())
	return command
}

func printJSON(to io.Writer, value any) error {
	if err := json.NewEncoder(to).Encode(value); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}
