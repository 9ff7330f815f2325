// Command wayproof proves that an Istio ambient mesh does what its traffic
// configuration says, and keeps doing it while things break.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

// Exit codes, for scripts.
const (
	exitHeld         = 0
	exitViolated     = 1
	exitInconclusive = 2
	exitCouldNotRun  = 3
)

// exitError carries the code that a command ends with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	klog.LogToStderr(false) // what client-go has to say comes back as errors
	klog.SetOutput(io.Discard)
	ctx, stop := interruptible(context.Background())
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "wayproof:", err)
	if coded, ok := errors.AsType[*exitError](err); ok {
		os.Exit(coded.code)
	}
	os.Exit(exitCouldNotRun)
}

// interruptible ends with the first Ctrl-C, upon which what was begun is undone.
// The second one ends the program, as it does any other.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// group is a command that only holds others. By itself it shows its help; a word
// that names none of them is an error, which a script would miss otherwise.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wayproof",
		Short: "Conformance and chaos test harness for Istio ambient traffic management",
		Long: `wayproof stands up kind with Istio ambient (or uses a cluster you have), applies
the tasks of the traffic-management workshop, drives load through the mesh, and
judges what it saw with stated error probabilities.

Exit codes: 0 held, 1 violated, 2 inconclusive, 3 could not run.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(upCommand(), downCommand(), runCommand(), nodeProxyCommand(), planCommand(), imagesCommand(), doctorCommand())
	cmd.AddCommand(recordedCommands()...)
	cmd.AddCommand(scheduledCommand(), chaosCommand(), healCommand(), proveCommand(), soakCommand(), compareCommand())
	return cmd
}
