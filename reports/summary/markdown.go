package summary

import (
	"fmt"
	"io"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
)

// Markdown writes the run in GitHub's flavour, for GITHUB_STEP_SUMMARY: the
// sentence, a table of promises, and a folded block for each that needs a
// reader. Text from the cluster cannot become markup.
func Markdown(w io.Writer, run *record.Run, dir string) error {
	verdicts := outcome.Judged(run)
	var b strings.Builder
	writeTop(&b, run, verdicts)
	writeTable(&b, run, verdicts)
	for _, v := range verdicts {
		if v.Verdict != record.Held {
			writeFold(&b, run, v, dir)
		}
	}
	writeFoot(&b, run)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write Markdown of run %s: %w", run.ID, err)
	}
	return nil
}

func writeTop(b *strings.Builder, run *record.Run, verdicts []record.Verdict) {
	tally := outcome.Count(verdicts)
	fmt.Fprintf(b, "## %s %s\n\n%s\n\n", outcome.Sign(tally.Worst()),
		escape(string(tally.Worst())), tally.Sentence())
	if run.Environment.HasStandIn() {
		b.WriteString("> Node proxy: **stand-in**. What is said about ztunnel here is not about Istio's ztunnel.\n\n")
	}
}

func writeTable(b *strings.Builder, run *record.Run, verdicts []record.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	b.WriteString("| verdict | promise | n | alpha | beta | observed | allowed | p |\n")
	b.WriteString("| --- | --- | ---: | ---: | ---: | --- | --- | --- |\n")
	for _, v := range verdicts {
		fmt.Fprintf(b, "| %s %s | %s | %d | %s | %s | %s | %s | %s |\n",
			outcome.Sign(v.Verdict), escape(strings.ToLower(Verdict(run, v))), escape(v.ID), v.N,
			Probability(v.Alpha), Probability(v.Beta),
			escape(plain.Cut(v.Observed, 120)), escape(plain.Cut(v.Allowed, 120)), escape(v.P))
	}
	b.WriteString("\n")
}

func writeFold(b *strings.Builder, run *record.Run, v record.Verdict, dir string) {
	fmt.Fprintf(b, "<details%s><summary>%s %s</summary>\n\n", open(v),
		outcome.Sign(v.Verdict), escape(v.ID))
	for line := range strings.SplitSeq(Block(run, v, dir), "\n") {
		b.WriteString("    " + line + "\n") // an indented block takes every character literally
	}
	b.WriteString("\n</details>\n\n")
}

func open(v record.Verdict) string {
	if outcome.NeedsReader(v) {
		return " open"
	}
	return ""
}

func writeFoot(b *strings.Builder, run *record.Run) {
	env := run.Environment
	fmt.Fprintf(b, "%s, node proxy %s, waypoint %s, seed %d\n",
		escape(Tested(run)), escape(env.NodeProxy), escape(env.Waypoint), run.Seed)
}

// special are the characters that Markdown or HTML could take for markup.
const special = "\\`*_{}[]()<>#+!|~@&$:"

// escape writes a string from the cluster as literal text of one line: the
// special characters become numeric references, which are never markup.
func escape(s string) string {
	var b strings.Builder
	for _, r := range plain.Line(s) {
		if strings.ContainsRune(special, r) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
