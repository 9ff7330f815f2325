// Package ledger is the agent's subcommand that reads the ledger of the pod it
// runs in: what the harness execs where it may not use the API server's proxy.
package ledger

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

// request is what to ask of the ledger.
type request struct {
	prefix       string
	since        uint64
	clear, stats bool
}

// Command copies the ledger's answer to its standard output.
func Command() *cobra.Command {
	var asked request
	command := &cobra.Command{
		Use:   "ledger",
		Short: "Print this pod's ledger as NDJSON, its statistics, or clear it",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return asked.run(command.Context(), command.OutOrStdout(), os.Getenv("LEDGER_ADDRESS"))
		},
	}
	flags := command.Flags()
	flags.StringVar(&asked.prefix, "prefix", "", "only ids that begin with this")
	flags.Uint64Var(&asked.since, "since", 0, "only arrivals after this sequence number")
	flags.BoolVar(&asked.clear, "clear", false, "clear the ledger instead of reading it")
	flags.BoolVar(&asked.stats, "stats", false, "print its statistics instead of arrivals")
	command.MarkFlagsMutuallyExclusive("clear", "stats", "prefix")
	command.MarkFlagsMutuallyExclusive("clear", "stats", "since")
	return command
}

func (q request) run(ctx context.Context, out io.Writer, listen string) error {
	address, err := local(listen)
	if err != nil {
		return err
	}
	method, target := q.target()
	asked, err := http.NewRequestWithContext(ctx, method, "http://"+address+target, nil)
	if err != nil {
		return fmt.Errorf("ask ledger: %w", err)
	}
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		return fmt.Errorf("ask ledger: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("ask ledger at %s: %s", address, response.Status)
	}
	if _, err := io.Copy(out, response.Body); err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	return nil
}

func (q request) target() (method, target string) {
	switch {
	case q.clear:
		return http.MethodDelete, "/ledger"
	case q.stats:
		return http.MethodGet, "/ledger/stats"
	}
	query := url.Values{"prefix": {q.prefix}, "since": {strconv.FormatUint(q.since, 10)}}
	return http.MethodGet, "/ledger?" + query.Encode()
}

// local is the loopback address of what listens on an address such as :8001.
func local(listen string) (string, error) {
	if listen == "" {
		listen = ":8001"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("read LEDGER_ADDRESS: %w", err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
