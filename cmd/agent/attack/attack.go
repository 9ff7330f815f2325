// Package attack is the agent's subcommand for a load worker; see
// loadgen/worker for what it does and loadgen/wire for what it says.
package attack

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/loadgen/worker"
)

// The exit codes of `agent attack`. Its driver goes by the health record; the
// codes are for people and for Jobs.
const (
	exitFailed  = 1 // the stream broke, or the attack could not run
	exitRefused = 2 // the order is not one that can be carried out
	exitAborted = 3 // SIGTERM, the word abort, or the driver's death; health was written
)

// failure is an error with its exit code.
type failure struct {
	error
	code int
}

// ExitCode is what the process shall exit with.
func (f failure) ExitCode() int { return f.code }

// Unwrap gives the error without its code.
func (f failure) Unwrap() error { return f.error }

// Command carries out one order.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "attack",
		Short: "Send load as ordered on stdin and write what came of it to stdout",
		Long: "Read one order, a line of JSON, from stdin: {\"load\":{...},\"start\":\"...\",\"hold\":false}.\n" +
			"Write one line for each request as it ends, and a health record last.\n" +
			"The line \"stop\" on stdin lets no further request start, \"abort\" cancels all;\n" +
			"the end of stdin aborts where the order says \"hold\":true and means nothing else.\n" +
			"Load goes to loopback and to services of the cluster only.\n\n" +
			"Exit codes: 0 ran to its end or was stopped, 1 failed, 2 order refused, 3 aborted.",
		Args: cobra.NoArgs,
		RunE: run,
	}
}

func run(command *cobra.Command, _ []string) error {
	ctx := command.Context()
	err := worker.Serve(ctx, command.InOrStdin(), command.OutOrStdout())
	switch {
	case err == nil:
		return nil
	case errors.Is(err, worker.ErrRefused):
		return failure{err, exitRefused}
	case ctx.Err() != nil, errors.Is(err, worker.ErrAborted), errors.Is(err, worker.ErrOrphaned):
		return failure{err, exitAborted}
	default:
		return failure{err, exitFailed}
	}
}
