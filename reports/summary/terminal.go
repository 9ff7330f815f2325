package summary

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Terminal writes the run for a terminal: a line for each promise by task, a
// block for each that needs a reader, findings, and one sentence last, where
// the eye is when a command ends. It uses no colour and no cursor movement, so
// a log keeps it whole.
func Terminal(w io.Writer, run *record.Run, dir string) error {
	verdicts := outcome.Judged(run)
	var b strings.Builder
	writeTasks(&b, run, verdicts)
	writeBlocks(&b, run, verdicts, dir)
	writeFindings(&b, run)
	writeEnd(&b, run, verdicts, dir)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write summary of run %s: %w", run.ID, err)
	}
	return nil
}

func writeTasks(b *strings.Builder, run *record.Run, verdicts []record.Verdict) {
	width := 0
	for _, v := range verdicts {
		width = max(width, utf8.RuneCountInString(plain.Line(v.ID)))
	}
	for _, task := range outcome.ByTask(verdicts) {
		fmt.Fprintf(b, "%s\n", plain.Line(task.Name))
		for _, v := range task.Verdicts {
			fmt.Fprintf(b, "  %s %s  %s  n = %d, %s\n", outcome.Sign(v.Verdict),
				pad(plain.Line(v.ID), width), pad(strings.ToLower(Verdict(run, v)), 12), v.N, plain.Cut(v.Observed, 90))
		}
	}
}

func writeBlocks(b *strings.Builder, run *record.Run, verdicts []record.Verdict, dir string) {
	for _, v := range verdicts {
		if v.Verdict != record.Held && v.Verdict != record.Unsupported {
			fmt.Fprintf(b, "\n%s\n", Block(run, v, dir))
		}
	}
	for _, v := range verdicts {
		if v.Verdict == record.Unsupported {
			fmt.Fprintf(b, "\n%s is not shown here: %s\n", plain.Line(v.ID), sentences(v))
		}
	}
}

func writeFindings(b *strings.Builder, run *record.Run) {
	if len(run.Findings) > 0 {
		b.WriteString("\nfindings\n")
	}
	for _, f := range run.Findings {
		fmt.Fprintf(b, "  %s: %s\n", plain.Line(f.Object), plain.Line(f.Text))
	}
}

func writeEnd(b *strings.Builder, run *record.Run, verdicts []record.Verdict, dir string) {
	tally := outcome.Count(verdicts)
	fmt.Fprintf(b, "\n%s  %s\n", strings.ToUpper(string(tally.Worst())), tally.Sentence())
	if run.Environment.HasStandIn() {
		b.WriteString("node proxy: stand-in; what is said about ztunnel is not about Istio's ztunnel\n")
	}
	place := Place(run, dir)
	fmt.Fprintf(b, "report %s/report.html   again: wayproof replay %s\n", place, place)
}
