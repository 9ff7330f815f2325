// Package summary says how a run went in text: for a terminal, for the log of
// a failing test, and as Markdown for the summary page of a CI run. It reads
// the head of a run only.
package summary

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// verdictColumn is where the outcome stands in the first line of a block.
const verdictColumn = 100

// Block says everything about one verdict in a few lines: what was declared,
// observed and allowed, the first odd request, what was configured, and how to
// see it again. dir is the run directory as a reader would type it.
func Block(run *record.Run, v record.Verdict, dir string) string {
	lines := []string{headline(run, v)}
	for _, line := range []string{
		limits(v), sentences(v), odd(v), setting(run, v), again(run, v, dir),
	} {
		if line != "" {
			lines = append(lines, "  "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// Place is the run directory as a reader would type it: dir, or the usual place.
func Place(run *record.Run, dir string) string {
	if dir != "" {
		return plain.Line(dir)
	}
	return path.Join("artifacts", plain.Line(run.ID))
}

func headline(run *record.Run, v record.Verdict) string {
	text := plain.Line(v.Title)
	if text == "" {
		text = plain.Line(v.ID)
	}
	if v.Declared != "" {
		text += ": declared " + plain.Line(v.Declared)
	}
	text += "   observed " + plain.Line(v.Observed)
	return pad(text, verdictColumn) + "  " + Verdict(run, v)
}

// Verdict is the outcome as a word in capitals, with whom it blames and whether
// it was reached on a stand-in: "VIOLATED (blame: mesh)".
func Verdict(run *record.Run, v record.Verdict) string {
	word := strings.ToUpper(plain.Line(string(v.Verdict)))
	if word == "" {
		word = "NO VERDICT"
	}
	if v.Blame != "" && v.Verdict != record.Held {
		word += fmt.Sprintf(" (blame: %s)", plain.Line(string(v.Blame)))
	}
	if outcome.StandIn(run, v) {
		word += " (node proxy: stand-in)"
	}
	return word
}

// figuresShown bounds the figures in a block; the JSON has all of them.
const figuresShown = 6

func limits(v record.Verdict) string {
	var parts []string
	if v.Allowed != "" {
		parts = append(parts, "allowed "+plain.Line(v.Allowed)+at(v))
	}
	if v.P != "" {
		parts = append(parts, "p = "+plain.Line(v.P))
	}
	if figures := Figures(v, figuresShown); figures != "" {
		parts = append(parts, figures)
	}
	return strings.Join(parts, "; ")
}

func at(v record.Verdict) string {
	if v.Alpha == 0 || strings.Contains(v.Allowed, "alpha") {
		return ""
	}
	return " at alpha " + Probability(v.Alpha)
}

// Figures lists up to limit figures of a verdict in one line.
func Figures(v record.Verdict, limit int) string {
	var parts []string
	for i, f := range v.Figures {
		if i == limit {
			parts = append(parts, fmt.Sprintf("and %d more", len(v.Figures)-limit))
			break
		}
		parts = append(parts, plain.Line(f.Name)+" "+plain.Line(f.Value))
	}
	return strings.Join(parts, ", ")
}

// sentences gives the detail and the reason, once if they are the same.
func sentences(v record.Verdict) string {
	detail, reason := plain.Line(v.Detail), plain.Line(v.Reason)
	if v.Known != "" {
		detail = strings.TrimSpace(detail + " known: " + plain.Line(v.Known))
	}
	switch {
	case reason == "" || strings.Contains(detail, reason):
		return detail
	case detail == "" || strings.Contains(reason, detail):
		return reason
	default:
		return detail + "; " + reason
	}
}

func odd(v record.Verdict) string {
	if v.FirstOdd == "" {
		return ""
	}
	return "first odd request " + plain.Line(v.FirstOdd)
}

func setting(run *record.Run, v record.Verdict) string {
	var parts []string
	for _, line := range v.Config {
		parts = append(parts, plain.Line(line))
	}
	parts = append(parts, "seed "+strconv.FormatUint(run.Seed, 10))
	if tested := Tested(run); tested != "" {
		parts = append(parts, tested)
	}
	return strings.Join(parts, "; ")
}

// Tested names the versions that were under test: "Istio 1.31, Kubernetes 1.36".
func Tested(run *record.Run) string {
	var parts []string
	for _, part := range []struct{ name, version string }{
		{"Istio", run.Environment.Istio}, {"Kubernetes", run.Environment.Kubernetes},
	} {
		if part.version != "" {
			parts = append(parts, part.name+" "+plain.Line(part.version))
		}
	}
	return strings.Join(parts, ", ")
}

// Judge is the command that judges one promise of a recorded run again.
func Judge(run *record.Run, v record.Verdict, dir string) string {
	return "wayproof replay " + Place(run, dir) + " --promise " + word(v.ID)
}

// word is an id as a shell takes it for one word: it stands in a command that
// a reader copies, and may have been edited.
func word(id string) string {
	id = plain.Line(id)
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return id
	}
	return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
}

// Repeat is the command that plays one promise again on a cluster, or, of a
// record that does not say how, the one that repeats the whole run.
func Repeat(run *record.Run, v record.Verdict) string {
	if run.Again == "" {
		return plain.Line(run.Command)
	}
	return plain.Line(run.Again) + " --promise " + word(v.ID)
}

func again(run *record.Run, v record.Verdict, dir string) string {
	text := "again: " + Judge(run, v, dir)
	if run.Again != "" {
		text += "; played again: " + Repeat(run, v)
	}
	if len(v.Evidence) == 0 {
		return text
	}
	return "evidence " + path.Join(Place(run, dir), plain.Line(v.Evidence[0])) + "   " + text
}

// Probability renders an error probability in its shortest form: 1e-6, 0.001.
func Probability(p float64) string {
	text := strconv.FormatFloat(p, 'g', 3, 64)
	return strings.NewReplacer("e-0", "e-", "e+0", "e+").Replace(text)
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
