// Package link is the agent's subcommand about single connections: a server
// that says which of its connections a request came on, and clients that count
// requests on few or many connections, or hold connections open for as long as
// they last.
//
// It is no load generator: there is no schedule, each connection waits for its
// answer before it asks again. What it reports is judged elsewhere.
package link

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Ports of the server.
const (
	HTTPPort = 9000 // answers requests
	EchoPort = 9001 // returns every line
)

// Command groups the server and its clients.
func Command() *cobra.Command {
	command := &cobra.Command{Use: "link", Short: "Serve, count or hold single connections", Args: cobra.NoArgs}
	command.AddCommand(serveCommand(), askCommand(), holdCommand())
	return command
}

func printJSON(to io.Writer, value any) error {
	if err := json.NewEncoder(to).Encode(value); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}
