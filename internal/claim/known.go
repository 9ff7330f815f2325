package claim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wayproof/wayproof/internal/record"
)

// Deviation is one reviewed entry of the list of known deviations of the mesh:
// this promise is violated in exactly this way, upstream knows, and we look
// again at the latest when the entry expires.
type Deviation struct {
	Claim string `yaml:"claim"` // id of the promise
	// Observed is the verdict's signature, word for word.
	Observed string `yaml:"observed"`
	// Figures narrow it down further: the named figure must lie in the range.
	Figures  map[string]Interval `yaml:"figures,omitempty"`
	Reason   string              `yaml:"reason"`
	Upstream string              `yaml:"upstream"` // link to the issue
	// Istio is the range of versions that are known to do so.
	Istio   Versions `yaml:"istio"`
	Expires string   `yaml:"expires"` // 2006-01-02, the last day it is valid
}

// Interval is a closed range of a figure.
type Interval struct {
	From float64 `yaml:"from"`
	To   float64 `yaml:"to"`
}

// Versions is a range of versions: From is included, Before is not; empty is
// open.
type Versions struct {
	From   string `yaml:"from,omitempty"`
	Before string `yaml:"before,omitempty"`
}

// Deviations is the reviewed list.
type Deviations []Deviation

// ParseDeviations reads the list: YAML with one key, deviations. Unknown keys,
// entries without reason, link or expiry, and duplicates are refused.
func ParseDeviations(text []byte) (Deviations, error) {
	var file struct {
		Deviations Deviations `yaml:"deviations"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read known deviations: %w", err)
	}
	seen := map[string]bool{}
	for i, entry := range file.Deviations {
		if err := entry.check(); err != nil {
			return nil, fmt.Errorf("read known deviation %d (%s): %w", i+1, entry.Claim, err)
		}
		if seen[entry.Claim] {
			return nil, fmt.Errorf("read known deviation %d (%s): the claim is listed twice", i+1, entry.Claim)
		}
		seen[entry.Claim] = true
	}
	return file.Deviations, nil
}

func (d Deviation) check() error {
	switch {
	case d.Claim == "" || d.Observed == "":
		return errors.New("claim and observed are needed")
	case d.Reason == "" || !strings.HasPrefix(d.Upstream, "https://"):
		return errors.New("a reason and an https link upstream are needed")
	}
	if _, err := d.lastDay(); err != nil {
		return err
	}
	for _, version := range []string{d.Istio.From, d.Istio.Before} {
		if _, err := numbersOf(version); version != "" && err != nil {
			return err
		}
	}
	return nil
}

func (d Deviation) lastDay() (time.Time, error) {
	day, err := time.Parse(time.DateOnly, d.Expires)
	if err != nil {
		return day, fmt.Errorf("read expiry: %w", err)
	}
	return day, nil
}

// Apply marks listed deviations as known and appends a violated verdict, blamed
// on the harness, for each entry that has expired or that this run shows to be
// gone: the list must shrink as the mesh gets better. The day is that of the
// run. Verdicts are not changed in place.
func (d Deviations) Apply(verdicts []record.Verdict, e record.Environment, day time.Time) []record.Verdict {
	out := make([]record.Verdict, 0, len(verdicts))
	var stale []record.Verdict
	for _, v := range verdicts {
		for _, entry := range d {
			if entry.Claim != v.ID || !entry.Istio.holds(e.Istio) {
				continue
			}
			if problem := entry.problem(v, day); problem != "" {
				stale = append(stale, entry.complaint(v, problem))
			} else if v.Verdict == record.Violated {
				v.Verdict, v.Known = record.ViolatedKnown, entry.Upstream
				v.Reason = entry.Reason
			}
		}
		out = append(out, v)
	}
	return append(out, stale...)
}

// differs says in what a violated verdict is not exactly the listed deviation.
func (d Deviation) differs(v record.Verdict) string {
	if v.Blame != record.Mesh {
		return fmt.Sprintf("the blame is the %s's", v.Blame)
	}
	if v.Signature != d.Observed {
		return fmt.Sprintf("seen is %q, listed is %q", v.Signature, d.Observed)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Figures)) {
		listed, seen := d.Figures[name], valueOf(v.Figures, name)
		if !listed.holds(seen) {
			return fmt.Sprintf("%s is %q, listed is %g to %g", name, seen, listed.From, listed.To)
		}
	}
	return ""
}

// valueOf is that of a figure, empty if there is none of that name.
func valueOf(figures []record.Figure, name string) string {
	for _, f := range figures {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func (i Interval) holds(text string) bool {
	value, err := strconv.ParseFloat(text, 64)
	return err == nil && i.From <= value && value <= i.To
}

// problem says why an entry that applies to this verdict must go. What could
// not be judged says nothing about an entry.
func (d Deviation) problem(v record.Verdict, day time.Time) string {
	if v.Verdict != record.Held && v.Verdict != record.Violated {
		return ""
	}
	last, err := d.lastDay()
	switch {
	case err != nil:
		return err.Error()
	case day.After(last.AddDate(0, 0, 1).Add(-time.Nanosecond)):
		return "expired on " + d.Expires
	case v.Verdict == record.Held:
		return "no longer reproduces: the promise holds"
	}
	if how := d.differs(v); how != "" {
		return "no longer reproduces: " + how
	}
	return ""
}

// StalePrefix comes before the promise's id in the id of a verdict about its
// entry in the list.
const StalePrefix = "known-deviations/"

func (d Deviation) complaint(v record.Verdict, problem string) record.Verdict {
	return record.Verdict{
		ID: StalePrefix + d.Claim, Task: v.Task, Title: "listed deviation of " + d.Claim,
		Verdict: record.Violated, Blame: record.Harness, Known: d.Upstream,
		Observed: problem, Detail: "the entry in the list of known deviations must be removed or renewed: " + problem,
	}
}

// holds compares versions number by number; what has no numbers is in no
// bounded range.
func (r Versions) holds(version string) bool {
	if r == (Versions{}) {
		return true
	}
	at, err := numbersOf(version)
	if err != nil {
		return false
	}
	from, _ := numbersOf(r.From)
	before, _ := numbersOf(r.Before)
	return (r.From == "" || !less(at, from)) && (r.Before == "" || less(at, before))
}

// numbersOf reads the numbers of 1.31.4; what follows a dash or plus is a build.
func numbersOf(version string) (numbers [3]int, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	parts := strings.Split(core, ".")
	if len(parts) > len(numbers) {
		return numbers, fmt.Errorf("version %q has too many numbers", version)
	}
	for i, part := range parts {
		if numbers[i], err = strconv.Atoi(part); err != nil {
			return numbers, fmt.Errorf("version %q is not made of numbers", version)
		}
	}
	return numbers, nil
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
