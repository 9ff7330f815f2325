package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

The measured figures are in artifacts/<run>/nodeproxy.xml, which says which proxy
it was. The exit code is 1 if a spec's assertion failed, 2 if specs were
interrupted or took too long, and 3 if nothing could be judged or what the suite
made could not be removed.`,
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
	return flags.finish(ctx, bench, runNodeProxySpecs(flags.focus, bench.Scene))
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
// in this process too. The error is nil if all specs passed, and carries the exit
// code.
func runNodeProxySpecs(focus string, stage *scene.Scene) error {
	suite, reporter := specConfiguration(stage.Run().Seed)
	suite.LabelFilter = nodeproxy.Name
	if focus != "" {
		suite.FocusStrings = []string{focus}
	}
	reporter.NoColor = !progress.IsTerminal(os.Stdout)
	reporter.Verbose = true
	gomega.RegisterFailHandler(ginkgo.Fail)
	var told types.Report
	ginkgo.ReportAfterSuite("figures", func(report types.Report) {
		told = report
		if err := writeFigures(report, filepath.Join(stage.Dir(), "nodeproxy.xml")); err != nil {
			ginkgo.Fail(err.Error())
		}
	})
	outcome := &specOutcome{}
	passed := ginkgo.RunSpecs(outcome, "wayproof: node proxy: "+stage.Run().Environment.NodeProxy, suite, reporter)
	if err := judgeSpecs(told); err != nil || passed && !outcome.failed {
		return err
	}
	return &exitError{code: exitCouldNotRun, err: errors.New("the specs passed, and what was measured could not be written")}
}

// judgeSpecs tells specs whose assertions failed from those that were not judged.
func judgeSpecs(report types.Report) error {
	if report.PreRunStats.SpecsThatWillRun == 0 {
		return &exitError{code: exitCouldNotRun, err: errors.New("no spec matches")}
	}
	counts := map[int]int{}
	for _, spec := range report.SpecReports {
		if spec.Failed() {
			counts[fateOfSpec(spec)]++
		}
	}
	for _, fate := range []struct {
		code int
		says string
	}{
		{exitViolated, "%d specs failed"},
		{exitCouldNotRun, "%d specs could not run, for the bed was not made"},
		{exitInconclusive, "%d specs were not judged"},
	} {
		if count := counts[fate.code]; count > 0 {
			return &exitError{code: fate.code, err: fmt.Errorf(fate.says, count)}
		}
	}
	if len(report.SpecialSuiteFailureReasons) > 0 {
		return &exitError{code: exitInconclusive, err: errors.New(strings.Join(report.SpecialSuiteFailureReasons, "; "))}
	}
	return nil
}

// fateOfSpec is the exit code that a failed spec stands for.
func fateOfSpec(spec types.SpecReport) int {
	switch where := spec.Failure.FailureNodeType; {
	case where.Is(types.NodeTypeBeforeAll):
		return exitCouldNotRun
	case where.Is(types.NodeTypeIt) && spec.State.Is(types.SpecStateFailed):
		return exitViolated
	}
	return exitInconclusive
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
func (f *nodeProxyFlags) finish(ctx context.Context, bench *nodeproxy.Bench, judged error) error {
	judged = alsoFailed(judged, bench.Scene.Part(ctx, f.keep))
	code := exitHeld
	if coded, ok := errors.AsType[*exitError](judged); ok {
		code = coded.code
		judged = fmt.Errorf("%w: see %s", judged, bench.Scene.Dir())
	}
	failed := errors.Join(bench.Scene.Finish(), pointLatest(f.artifacts, bench.Scene.Run().ID))
	return ended(bench.Scene, codeOf(code, failed), errors.Join(judged, failed))
}
