package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/mesh"
	"github.com/wayproof/wayproof/internal/progress"
	"github.com/wayproof/wayproof/internal/ready"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/suites/nodeproxy"
)

// nodeProxyFlags are the knobs of the node proxy's own suite.
type nodeProxyFlags struct {
	environmentFlags

	focus, artifacts, istioctl string
}

func nodeProxyCommand() *cobra.Command {
	flags := &nodeProxyFlags{}
	cmd := &cobra.Command{
		Use:   "nodeproxy",
		Short: "Judge the node proxy: ztunnel, or what stands in for it",
		Long: `Brings up whatever is missing and judges the node proxy from outside: what
istioctl reads off it, the ways it finds, whom it refuses, load and latency, the
hand-over to its successor, and what is left of pods that are gone. The suite is
the same for ztunnel and for the stand-in; give ztunnel's own archive by
--images build,archive:DIR where it cannot be pulled.

The measured figures are in artifacts/<run>/nodeproxy.xml.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return judgeNodeProxy(cmd.Context(), flags) },
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&flags.focus, "focus", os.Getenv("FOCUS"), "regular expression on the specs' texts (FOCUS)")
	cmd.Flags().StringVar(&flags.artifacts, "artifacts", "artifacts", "folder of the runs' artefacts")
	cmd.Flags().StringVar(&flags.istioctl, "istioctl", "", "istioctl to ask with (default: the one on the path, else it is built)")
	return cmd
}

func judgeNodeProxy(ctx context.Context, flags *nodeProxyFlags) error {
	environment, err := flags.environment()
	if err != nil {
		return err
	}
	lines := progress.New(os.Stderr)
	if err := environment.Up(ctx, lines); err != nil {
		return err
	}
	bench, err := flags.bench(ctx, environment, lines)
	if err != nil {
		return err
	}
	nodeproxy.Register(bench) //nolint:contextcheck // its specs get their contexts from Ginkgo
	passed := runNodeProxySpecs(flags.focus, filepath.Join(bench.Scene.Dir(), "nodeproxy.xml"))
	return flags.finish(ctx, bench, passed)
}

// bench connects the suite with the environment.
func (f *nodeProxyFlags) bench(ctx context.Context, environment mesh.Environment, lines *progress.Lines) (*nodeproxy.Bench, error) {
	cluster, err := kube.Connect(ctx, environment.Kubeconfig(), environment.Context())
	if err != nil {
		return nil, err
	}
	described, err := environment.Describe(ctx)
	if err != nil {
		return nil, err
	}
	lines.Note("node proxy: %s", described.NodeProxy)
	program, err := findIstioctl(ctx, f.istioctl)
	if err != nil {
		return nil, err
	}
	run := record.Run{
		Schema: record.Schema, ID: runID(), Started: time.Now().UTC(), Environment: described, Command: "wayproof nodeproxy",
	}
	stage, err := scene.Open(scene.Options{
		Cluster: cluster, Agent: agentOf(environment), Adopt: f.adopt, Progress: lines, Run: run,
		Dir: filepath.Join(f.artifacts, run.ID),
	})
	if err != nil {
		return nil, err
	}
	owner := kube.Owner{Run: run.ID, Adopt: f.adopt}
	return &nodeproxy.Bench{
		Cluster: cluster, Owner: owner, Scene: stage, Gate: ready.NewGate(cluster, owner),
		Agent: agentOf(environment), Istioctl: program,
	}, nil
}

// findIstioctl makes the program from the bill of materials where the machine
// has none.
func findIstioctl(ctx context.Context, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if found, err := exec.LookPath("istioctl"); err == nil {
		return found, nil
	}
	builder, err := newBuilder()
	if err != nil {
		return "", fmt.Errorf("no istioctl on the path, and none can be built: %w", err)
	}
	set, err := builder.Make(ctx)
	if err != nil {
		return "", fmt.Errorf("build istioctl: %w", err)
	}
	return set.Istioctl, nil
}

// runNodeProxySpecs leaves out the specs of other suites, which are registered
// in this process too.
func runNodeProxySpecs(focus, junit string) bool {
	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.FailOnPending, suite.FailOnEmpty = true, true
	suite.LabelFilter = nodeproxy.Name
	if focus != "" {
		suite.FocusStrings = []string{focus}
	}
	reporter.NoColor = !progress.IsTerminal(os.Stdout)
	reporter.Verbose = true
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.ReportAfterSuite("figures", func(report types.Report) {
		if err := writeFigures(report, junit); err != nil {
			ginkgo.Fail(err.Error())
		}
	})
	outcome := &specOutcome{}
	return ginkgo.RunSpecs(outcome, "wayproof: node proxy", suite, reporter) && !outcome.failed
}

func writeFigures(report types.Report, junit string) error {
	figures := reporters.JunitReportConfig{OmitSpecLabels: true, OmitLeafNodeType: true, OmitSuiteSetupNodes: true}
	if err := reporters.GenerateJUnitReportWithConfig(report, junit, figures); err != nil {
		return fmt.Errorf("write %s: %w", junit, err)
	}
	return nil
}

// finish writes the record, and removes what the suite made unless it is to be
// kept.
func (f *nodeProxyFlags) finish(ctx context.Context, bench *nodeproxy.Bench, passed bool) error {
	code, failed := exitHeld, error(nil)
	if !passed {
		code, failed = exitViolated, fmt.Errorf("not all specs passed: see %s", bench.Scene.Dir())
	}
	if !f.keep {
		if err := bench.Scene.Sweep(ctx); err != nil {
			code, failed = max(code, exitViolated), errors.Join(failed, err)
		}
	}
	if err := bench.Scene.Finish(code); err != nil {
		return err
	}
	if failed != nil {
		return &exitError{code: code, err: failed}
	}
	return nil
}
