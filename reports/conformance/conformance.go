// Package conformance renders a run as a ConformanceReport of Gateway API, in
// the mode that nobody publishes: ambient. It reads the head of a run only.
//
// The report has a profile of its own, because the promises here are not the
// tests of MESH-HTTP and must not be mistaken for them. The nine tasks are its
// core, each further capability is an extended feature named after its task.
//
// The format knows passed, failed and skipped. A listed deviation is failed: the
// format has no exceptions. Inconclusive, unsupported and never judged are
// skipped, and so is whatever was reached on a stand-in for ztunnel, since it
// says nothing about the implementation that the report names, and every promise
// that was not selected for the run. Anything skipped makes the result partial.
//
// The types repeat sigs.k8s.io/gateway-api/conformance/apis/v1, which would
// bring the API machinery along; the module in upstream/ holds them against it.
package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Profile is the name of the profile of wayproof's promises.
const Profile = "WAYPROOF-AMBIENT-TRAFFIC"

// Mode is the mode in which the mesh was tested.
const Mode = "ambient"

// Result of a level of a profile.
const (
	Success = "success"
	Partial = "partial"
	Failure = "failure"
)

// Report is a ConformanceReport.
type Report struct {
	APIVersion        string          `json:"apiVersion"`
	Kind              string          `json:"kind"`
	Implementation    Implementation  `json:"implementation"`
	Date              string          `json:"date"` // RFC 3339
	GatewayAPIVersion string          `json:"gatewayAPIVersion"`
	Mode              string          `json:"mode"`
	GatewayAPIChannel string          `json:"gatewayAPIChannel"`
	Profiles          []ProfileReport `json:"profiles"`
}

// Implementation says what was tested and who maintains it; all is mandatory.
type Implementation struct {
	Organization string   `json:"organization"`
	Project      string   `json:"project"`
	URL          string   `json:"url"`
	Version      string   `json:"version"`
	Contact      []string `json:"contact"`
}

// ProfileReport is the result of one profile.
type ProfileReport struct {
	Name     string          `json:"name"`
	Summary  string          `json:"summary"`
	Core     Status          `json:"core"`
	Extended *ExtendedStatus `json:"extended,omitempty"`
}

// Status is the result of one level; its tests are named by promise.
type Status struct {
	Result       string     `json:"result"`
	Statistics   Statistics `json:"statistics"`
	SkippedTests []string   `json:"skippedTests,omitempty"`
	FailedTests  []string   `json:"failedTests,omitempty"`
}

// ExtendedStatus is the result of the extended level with its features.
type ExtendedStatus struct {
	Status              `json:",inline"`
	SupportedFeatures   []string `json:"supportedFeatures,omitempty"`
	UnsupportedFeatures []string `json:"unsupportedFeatures,omitempty"`
}

// Statistics counts tests. The upstream type has no JSON names, hence capitals.
type Statistics struct {
	Passed  uint32
	Skipped uint32
	Failed  uint32
}

// Render writes the report of a run as YAML.
func Render(w io.Writer, run *record.Run) error {
	text, err := yaml.Marshal(New(run))
	if err != nil {
		return fmt.Errorf("encode conformance report of run %s: %w", run.ID, err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write conformance report of run %s: %w", run.ID, err)
	}
	return nil
}

// New makes the report of a run.
func New(run *record.Run) Report {
	env := run.Environment
	return Report{
		APIVersion: "gateway.networking.k8s.io/v1", Kind: "ConformanceReport",
		Implementation: Implementation{
			Organization: "istio", Project: "istio", URL: "https://istio.io", Version: tested(env),
			Contact: []string{"https://github.com/wayproof/wayproof/issues"}, // who answers for this report
		},
		Date: run.Ended.UTC().Format(time.RFC3339), Mode: Mode,
		GatewayAPIVersion: release(env.GatewayAPI), GatewayAPIChannel: plain.Line(env.Channel),
		Profiles: []ProfileReport{profile(run)},
	}
}

// tested is the version, with what of it was not Istio's own.
func tested(env record.Environment) string {
	version := plain.Line(env.Istio)
	if version == "" {
		version = "unknown"
	}
	if env.HasStandIn() {
		version += " (node proxy: stand-in; waypoint: " + plain.Line(env.Waypoint) + ")"
	}
	return version
}

func release(version string) string {
	version = plain.Line(version)
	if version == "" {
		return "UNDEFINED"
	}
	return "v" + strings.TrimPrefix(version, "v")
}

func profile(run *record.Run) ProfileReport {
	p := ProfileReport{Name: Profile}
	var extended ExtendedStatus
	for _, task := range outcome.ByTask(outcome.Judged(run)) {
		if isCore(task.Name) {
			p.Core.add(run, task.Verdicts)
			continue
		}
		extended.add(run, task.Verdicts)
		extended.feature(run, task)
	}
	for _, left := range run.Plan.Unselected {
		if isCore(left.Task) {
			p.Core.skip(plain.Line(left.ID))
		} else {
			extended.skip(plain.Line(left.ID))
		}
	}
	p.Core.conclude()
	p.Summary = p.Core.sentence("Core")
	if extended.total() > 0 {
		extended.conclude()
		p.Extended = &extended
		p.Summary += " " + extended.sentence("Extended")
	}
	p.Summary += remarks(run)
	return p
}

// remarks say what the lists of tests and features cannot.
func remarks(run *record.Run) string {
	text := ""
	if n := len(run.Plan.Unselected); n > 0 {
		text += fmt.Sprintf(" Only a part was run: %d of the skipped tests were not selected.", n)
	}
	standIns := 0
	for _, v := range outcome.Judged(run) {
		if outcome.StandIn(run, v) {
			standIns++
		}
	}
	if standIns > 0 {
		text += fmt.Sprintf(" %d of the skipped tests were reached on a stand-in for ztunnel: they show no feature of Istio's.", standIns)
	}
	return text
}

// isCore is true of the nine tasks.
func isCore(task string) bool {
	digit, ok := strings.CutPrefix(task, "task")
	return ok && len(digit) == 1 && digit >= "1" && digit <= "9"
}

func (s *Status) add(run *record.Run, verdicts []record.Verdict) {
	for _, v := range verdicts {
		name := plain.Line(v.ID)
		switch {
		case outcome.StandIn(run, v):
			s.skip(name)
		case v.Verdict == record.Held:
			s.Statistics.Passed++
		case v.Verdict == record.Violated, v.Verdict == record.ViolatedKnown:
			s.Statistics.Failed++
			s.FailedTests = append(s.FailedTests, name)
		default:
			s.skip(name)
		}
	}
}

func (s *Status) skip(name string) {
	s.Statistics.Skipped++
	s.SkippedTests = append(s.SkippedTests, name)
}

func (s *Status) total() uint32 {
	return s.Statistics.Passed + s.Statistics.Failed + s.Statistics.Skipped
}

// conclude sets the result. A level without a test has shown nothing: partial.
func (s *Status) conclude() {
	slices.Sort(s.FailedTests)
	slices.Sort(s.SkippedTests)
	switch {
	case s.Statistics.Failed > 0:
		s.Result = Failure
	case s.Statistics.Skipped > 0 || s.Statistics.Passed == 0:
		s.Result = Partial
	default:
		s.Result = Success
	}
}

func (s *Status) sentence(level string) string {
	return fmt.Sprintf("%s tests: %d passed, %d failed, %d skipped.", level, s.Statistics.Passed, s.Statistics.Failed, s.Statistics.Skipped)
}

// feature files a capability: supported if a promise of it was shown or refuted
// on Istio's own, unsupported if the environment offers none of it. What was only
// inconclusive, or seen on a stand-in, is neither.
func (e *ExtendedStatus) feature(run *record.Run, task outcome.Task) {
	shown, offered := false, false
	for _, v := range task.Verdicts {
		told := v.Verdict == record.Held || v.Verdict == record.Violated || v.Verdict == record.ViolatedKnown
		shown = shown || told && !outcome.StandIn(run, v)
		offered = offered || v.Verdict != record.Unsupported
	}
	name := plain.Line(task.Name)
	switch {
	case shown:
		e.SupportedFeatures = append(e.SupportedFeatures, name)
	case !offered:
		e.UnsupportedFeatures = append(e.UnsupportedFeatures, name)
	}
	slices.Sort(e.SupportedFeatures)
	slices.Sort(e.UnsupportedFeatures)
}
