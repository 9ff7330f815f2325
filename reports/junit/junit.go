// Package junit renders the verdicts of a run as JUnit XML, so that any CI
// shows them. It reads the head of a run only.
//
// Each promise is a test suite of one test case, because the schema that CI
// systems share allows properties on suites only and the numbers of a promise
// belong to it. The class name is the task. The mapping of outcomes:
//
//	held              passed
//	violated          failure, of type mesh, harness or environment
//	inconclusive      error, of the same types
//	unsupported       skipped, with the reason
//	violated (known)  passed, with the property "known" and the whole block in
//	                  system-out: a listed deviation does not fail a run, but a
//	                  reader of the file still finds it
//
// A promise that was never judged is an error.
package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
	"github.com/wayproof/wayproof/reports/summary"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr,omitempty"`
	Properties []property `xml:"properties>property"`
	Case       testcase   `xml:"testcase"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name    string  `xml:"name,attr"`
	Class   string  `xml:"classname,attr"`
	Time    string  `xml:"time,attr"`
	Skipped *result `xml:"skipped"`
	Error   *result `xml:"error"`
	Failure *result `xml:"failure"`
	Out     string  `xml:"system-out,omitempty"`
}

type result struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Render writes the verdicts of a run. dir is the run directory as a reader
// would type it; empty is artifacts/<run>.
func Render(w io.Writer, run *record.Run, dir string) error {
	root := suites{Name: "wayproof " + plain.Line(run.ID), Time: seconds(run.Ended.Sub(run.Started))}
	for _, v := range outcome.Judged(run) {
		s := suiteOf(run, v, dir)
		root.Tests += s.Tests
		root.Failures += s.Failures
		root.Errors += s.Errors
		root.Suites = append(root.Suites, s)
	}
	text, err := xml.MarshalIndent(root, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit of run %s: %w", run.ID, err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, text); err != nil {
		return fmt.Errorf("write JUnit of run %s: %w", run.ID, err)
	}
	return nil
}

func suiteOf(run *record.Run, v record.Verdict, dir string) suite {
	began, took := spent(run, v.ID)
	s := suite{
		Name: plain.Line(v.ID), Tests: 1, Time: seconds(took),
		Properties: properties(run, v),
		Case:       testcase{Name: plain.Line(v.Title), Class: plain.Line(v.Task), Time: seconds(took)},
	}
	if s.Case.Name == "" {
		s.Case.Name = s.Name
	}
	if !began.IsZero() {
		s.Timestamp = began.UTC().Format("2006-01-02T15:04:05")
	}
	s.judge(v, summary.Block(run, v, dir))
	return s
}

func (s *suite) judge(v record.Verdict, block string) {
	r := &result{Type: plain.Line(string(v.Blame)), Message: message(v), Text: block}
	switch v.Verdict {
	case record.Held:
	case record.ViolatedKnown:
		s.Case.Out = block
	case record.Unsupported:
		s.Skipped, s.Case.Skipped = 1, r
	case record.Violated:
		s.Failures, s.Case.Failure = 1, r
	default:
		s.Errors, s.Case.Error = 1, r
	}
}

// message is the line that a CI shows before anyone unfolds anything: why there
// is no answer, or what to do about the answer that there is.
func message(v record.Verdict) string {
	first, second := v.Reason, v.Detail
	if v.Verdict == record.Violated {
		first, second = v.Detail, v.Reason
	}
	return plain.Line(cmp.Or(first, second, v.Observed, string(v.Verdict)))
}

func properties(run *record.Run, v record.Verdict) []property {
	all := []property{
		{"verdict", string(v.Verdict)},
		{"blame", string(v.Blame)},
		{"unit", v.Unit},
		{"n", strconv.Itoa(v.N)},
		{"alpha", summary.Probability(v.Alpha)},
		{"beta", summary.Probability(v.Beta)},
		{"deltaPerMille", strconv.Itoa(v.Delta)},
		{"declared", v.Declared},
		{"observed", v.Observed},
		{"allowed", v.Allowed},
		{"p", v.P},
		{"known", v.Known},
		{"seed", strconv.FormatUint(run.Seed, 10)},
		{"istio", run.Environment.Istio},
		{"kubernetes", run.Environment.Kubernetes},
		{"nodeProxy", run.Environment.NodeProxy},
		{"wayproof", run.Wayproof},
	}
	if outcome.StandIn(run, v) {
		all = append(all, property{"standIn", "true"})
	}
	for _, f := range v.Figures {
		all = append(all, property{"figure " + f.Name, f.Value})
	}
	for _, e := range v.Evidence {
		all = append(all, property{"evidence", e})
	}
	return filled(all)
}

func filled(all []property) []property {
	var out []property
	for _, p := range all {
		if p.Value != "" {
			out = append(out, property{plain.Line(p.Name), plain.Line(p.Value)})
		}
	}
	return out
}

// spent is when the stages of a promise began and how long they took together.
// Promises may share stages, so the sum over promises can exceed the run.
func spent(run *record.Run, id string) (began time.Time, took time.Duration) {
	for _, p := range run.Plan.Promises {
		if p.ID != id {
			continue
		}
		for _, name := range p.Stages {
			_, stage, ok := run.StageNamed(name)
			if !ok {
				continue
			}
			if began.IsZero() {
				began = stage.Base
			}
			took += max(0, stage.Ended.Sub(stage.Base))
		}
	}
	return began, took
}

// seconds has three digits after the point, which is all that the schema allows.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d).Seconds()) }
