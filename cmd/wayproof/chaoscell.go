package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/fault"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/chaos/post"
	"github.com/wayproof/wayproof/internal/kube"
)

// chaosCellCommand is the harness that is killed: it plays one fault and sends
// itself SIGKILL when it has reached a step, as no handler can catch it.
func chaosCellCommand() *cobra.Command {
	var kubeconfig, contextName, spec, die string
	var system bool
	cmd := &cobra.Command{
		Use: "cell", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := kube.Connect(cmd.Context(), kubeconfig, contextName)
			if err != nil {
				return err
			}
			var wanted chaos.Spec
			if err := json.Unmarshal([]byte(spec), &wanted); err != nil {
				return fmt.Errorf("read --fault: %w", err)
			}
			err = dieAt(cmd.Context(), fault.Site{Cluster: cluster, System: system}, wanted, chaos.State(die))
			if _, ok := errors.AsType[*chaos.Unsupported](err); ok {
				return &exitError{code: pledge.ExitUnsupported, err: err}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig of the cluster")
	cmd.Flags().StringVar(&contextName, "context", "", "its context")
	cmd.Flags().StringVar(&spec, "fault", "", "the fault as JSON")
	cmd.Flags().BoolVar(&system, "system", false, "the fault may reach the mesh's own namespaces, and nodes")
	cmd.Flags().StringVar(&die, "die", "", "the state at which to die")
	return cmd
}

func dieAt(ctx context.Context, site fault.Site, spec chaos.Spec, step chaos.State) error {
	run := "cell-" + strconv.FormatInt(time.Now().Unix(), 36)
	station := post.New(site.Cluster, kube.Owner{Run: run}, "")
	site.Post = station
	stop, err := station.Heart(ctx, func(error) {})
	if err != nil {
		return err
	}
	defer stop()
	injection, err := fault.Make(ctx, site, spec)
	if err != nil {
		return err
	}
	kept := station.Keep(pledge.Pledge{
		ID: run, Fault: spec.Name, Target: injection.Target, Undo: injection.Undo, Deadline: time.Now().Add(time.Hour),
	})
	life := chaos.NewLife(injection, kept, func(m chaos.Moment) {
		if m.State == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
	for _, next := range []func(context.Context) error{life.Inject, life.Confirm, life.Recover, life.ConfirmRecovered} {
		if err := next(ctx); err != nil {
			return errors.Join(err, life.End(context.WithoutCancel(ctx)))
		}
	}
	return nil
}
