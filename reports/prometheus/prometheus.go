// Package prometheus renders the numbers of a run in Prometheus' text format
// (version 0.0.4), for the textfile collector of node_exporter or a push by
// whoever schedules runs. It reads the head of a run only.
package prometheus

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Render writes the metrics of a run, all of them gauges:
//
//	wayproof_run_info{run,istio,...} 1
//	wayproof_run_outcome{outcome} 1 for the worst outcome of the run, else 0
//	wayproof_run_started_timestamp_seconds, wayproof_run_duration_seconds
//	wayproof_promises{outcome} number of promises
//	wayproof_promise_outcome{promise,task,stand_in,outcome} 1 for its outcome, else 0
//	wayproof_promise_units{promise,task,unit} units judged
//	wayproof_stage_requests{stage,state} planned, sent, completed
//	wayproof_stage_lag_seconds{stage,quantile} sent minus intended
func Render(w io.Writer, run *record.Run) error {
	var t text
	verdicts := outcome.Judged(run)
	writeRun(&t, run, outcome.Count(verdicts))
	writePromises(&t, run, verdicts)
	writeStages(&t, run.Stages)
	if _, err := io.WriteString(w, t.String()); err != nil {
		return fmt.Errorf("write metrics of run %s: %w", run.ID, err)
	}
	return nil
}

// text is a document in the exposition format.
type text struct{ strings.Builder }

// family begins a metric.
func (t *text) family(name, help string) {
	fmt.Fprintf(t, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// sample writes a value; labels are names and values in turn.
func (t *text) sample(name string, value float64, labels ...string) {
	var pairs []string
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+escape(labels[i+1])+`"`)
	}
	if len(pairs) > 0 {
		name += "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(t, "%s %s\n", name, strconv.FormatFloat(value, 'g', -1, 64))
}

// escape follows the exposition format: backslash, quote and newline.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(plain.Text(s))
}

func writeRun(t *text, run *record.Run, tally outcome.Tally) {
	env := run.Environment
	t.family("wayproof_run_info", "What was tested.")
	t.sample("wayproof_run_info", 1, "run", run.ID, "environment", env.Name, "istio", env.Istio, "kubernetes", env.Kubernetes,
		"gateway_api", env.GatewayAPI, "node_proxy", env.NodeProxy, "waypoint", env.Waypoint, "seed", strconv.FormatUint(run.Seed, 10))
	t.family("wayproof_run_outcome", "One for the worst outcome of the run.")
	for _, o := range outcome.All() {
		t.sample("wayproof_run_outcome", one(o == tally.Worst()), "outcome", outcome.Slug(o))
	}
	if !run.Started.IsZero() {
		t.family("wayproof_run_started_timestamp_seconds", "When the run began.")
		t.sample("wayproof_run_started_timestamp_seconds", float64(run.Started.UnixMilli())/1000)
	}
	if run.Ended.After(run.Started) {
		t.family("wayproof_run_duration_seconds", "How long the run took.")
		t.sample("wayproof_run_duration_seconds", run.Ended.Sub(run.Started).Seconds())
	}
	t.family("wayproof_promises", "Number of promises by outcome.")
	for _, o := range outcome.All() {
		t.sample("wayproof_promises", float64(tally.Of(o)), "outcome", outcome.Slug(o))
	}
}

func writePromises(t *text, run *record.Run, verdicts []record.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	t.family("wayproof_promise_outcome", "One for the outcome of a promise.")
	for _, v := range verdicts {
		standIn := strconv.FormatBool(outcome.StandIn(run, v))
		for _, o := range outcome.All() {
			t.sample("wayproof_promise_outcome", one(o == v.Verdict), "promise", v.ID, "task", v.Task, "stand_in", standIn, "outcome", outcome.Slug(o))
		}
	}
	t.family("wayproof_promise_units", "Units judged for a promise.")
	for _, v := range verdicts {
		t.sample("wayproof_promise_units", float64(v.N), "promise", v.ID, "task", v.Task, "unit", v.Unit)
	}
}

func writeStages(t *text, stages []record.Stage) {
	if len(stages) == 0 {
		return
	}
	t.family("wayproof_stage_requests", "Requests of a stage by state.")
	for _, s := range stages {
		t.sample("wayproof_stage_requests", float64(s.Health.Planned), "stage", s.Name, "state", "planned")
		t.sample("wayproof_stage_requests", float64(s.Health.Sent), "stage", s.Name, "state", "sent")
		t.sample("wayproof_stage_requests", float64(s.Health.Completed), "stage", s.Name, "state", "completed")
	}
	t.family("wayproof_stage_lag_seconds", "How late requests were sent.")
	for _, s := range stages {
		for _, q := range []struct {
			name string
			lag  time.Duration
		}{{"0.99", s.Health.LagP99}, {"1", s.Health.LagMax}} {
			t.sample("wayproof_stage_lag_seconds", q.lag.Seconds(), "stage", s.Name, "quantile", q.name)
		}
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
