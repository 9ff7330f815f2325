package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/fate"
)

const head = `# Peers, side by side

Gateway API has a conformance suite of its own; its mesh profile is what Istio calls itself conformant by. It asks
whether an implementation can do what the API says, not whether a mesh does what was declared, so that it lets defects
pass is no fault of it. Here the same small defects are made in its routes as in ours ([kill matrix](kill-matrix.md)),
and its own tests, with their own deadlines (30 s for three right answers in a row; 500 requests and 5 points for
weights), say what they see. A mutant is *killed* if a test that the sound mesh passes gets an answer that it does not
expect. Asked are the tests that apply the changed manifest; of an enrolment, a few.

Made by ` + "`wayproof compare table RUN`" + ` from recorded runs of ` + "`make compare`" + `; a test holds this file against the mutants
of the source and the kill matrix. A row again: ` + "`wayproof compare --focus '^NAME '`" + `.

`

// Render writes the table as Markdown.
func (t *Table) Render(w io.Writer) error {
	var out strings.Builder
	out.WriteString(head)
	fmt.Fprintf(&out, "Upstream's suite %s on Kubernetes %s, Istio %s, waypoint %s, node proxy %s; runs %s.\n\n",
		t.Suite, t.Environment.Kubernetes, t.Environment.Istio, t.Environment.Waypoint, t.Environment.NodeProxy, strings.Join(t.Runs, ", "))
	t.renderShared(&out)
	t.renderTheirs(&out)
	t.renderSound(&out)
	renderUnasked(&out)
	_, err := io.WriteString(w, out.String())
	return err
}

func (t *Table) renderShared(out *strings.Builder) {
	rows := t.shared()
	counts, ours, theirTime, ourTime := verdicts(rows), 0, 0.0, 0.0
	for _, row := range rows {
		theirTime += row.Seconds
		if row.Ours != nil {
			ourTime += row.Ours.Seconds
			if row.Ours.Fate == fate.Killed {
				ours++
			}
		}
	}
	fmt.Fprintf(out, "## Defects that both are asked about\n\n%d defects. Upstream kills %d and lets %d pass%s, in %.0f minutes; ours kills %d, in %.0f minutes.\n",
		len(rows), counts[peer.Killed], counts[peer.Passes], rest(counts), theirTime/60, ours, ourTime/60)
	out.WriteString("Upstream's time is that of its tests; ours is that of a mutant from its application to the clean cluster.\n\n")
	out.WriteString("| mutant | defect | upstream | what its tests say | s | ours | s |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		verdict, seconds := "not played", ""
		if row.Ours != nil {
			verdict, seconds = fmt.Sprintf("%s: %s", row.Ours.Fate, strings.Join(row.Ours.Kills, ", ")), fmt.Sprintf("%.0f", row.Ours.Seconds)
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s | %.0f | %s | %s |\n", row.Mutant, cell(row.Title), mark(row.Verdict), row.said(), row.Seconds, verdict, seconds)
	}
	out.WriteString("\n")
}

func (t *Table) renderTheirs(out *strings.Builder) {
	rows := t.theirs()
	counts := verdicts(rows)
	fmt.Fprintf(out, "## Defects that only upstream has a test for\n\nNo promise of ours is about what these break. Of %d upstream kills %d and lets %d pass%s.\n\n",
		len(rows), counts[peer.Killed], counts[peer.Passes], rest(counts))
	out.WriteString("| mutant | defect | upstream | what its tests say | s |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		fmt.Fprintf(out, "| `%s` | %s | %s | %s | %.0f |\n", row.Mutant, cell(row.Title), mark(row.Verdict), row.said(), row.Seconds)
	}
	out.WriteString("\n")
}

func verdicts(rows []Row) map[peer.Verdict]int {
	counts := map[peer.Verdict]int{}
	for _, row := range rows {
		counts[row.Verdict]++
	}
	return counts
}

// rest says how many have no verdict, if any.
func rest(counts map[peer.Verdict]int) string {
	text := ""
	if counts[peer.Mute] > 0 {
		text += fmt.Sprintf(", cannot tell %d because the sound mesh fails the test", counts[peer.Mute])
	}
	if counts[peer.Failed] > 0 {
		text += fmt.Sprintf(", could not be asked about %d", counts[peer.Failed])
	}
	return text
}

// mark makes what was let pass stand out.
func mark(verdict peer.Verdict) string {
	if verdict == peer.Killed {
		return string(verdict)
	}
	return "**" + string(verdict) + "**"
}

// said is what each test said, those that saw something first.
func (r Row) said() string {
	var saw, passed []string
	for _, outcome := range r.Tests {
		switch {
		case outcome.Passed:
			passed = append(passed, outcome.Test)
		case outcome.Reason == "":
			saw = append(saw, outcome.Test+" failed without an answer")
		default:
			saw = append(saw, outcome.Test+": "+outcome.Reason)
		}
	}
	if len(passed) > 0 {
		saw = append(saw, strings.Join(passed, ", ")+" passed")
	}
	if r.Verdict == peer.Failed && r.Reason != "" {
		saw = append(saw, r.Reason)
	}
	return cell(strings.Join(saw, "; "))
}

func (t *Table) renderSound(out *strings.Builder) {
	seconds := 0.0
	for _, outcome := range t.Sound {
		seconds += outcome.Seconds
	}
	fmt.Fprintf(out, "## The sound mesh\n\nUpstream's tests without a mutant, %.1f minutes. Those *beside* are counted in no profile; Istio's own run leaves\nMeshHTTPRoute307Redirect out.\n\n", seconds/60)
	out.WriteString("| test | counted | sound mesh | s |\n| --- | --- | --- | --- |\n")
	for _, test := range peer.Profile() {
		outcome, asked := peer.Of(t.Sound, test.Name)
		said := "passed"
		switch {
		case !asked:
			said = "**not asked**"
		case !outcome.Passed:
			said = "**failed** " + cell(outcome.Reason)
		}
		fmt.Fprintf(out, "| %s | %s | %s | %.1f |\n", test.Name, test.Group, said, outcome.Seconds)
	}
	for _, name := range slices.Sorted(maps.Keys(peer.NotRun())) {
		fmt.Fprintf(out, "| %s | | *not run: %s* | |\n", name, peer.NotRun()[name])
	}
	out.WriteString("\n")
}

// renderUnasked lists our other mutants under the reason why upstream is not
// asked.
func renderUnasked(out *strings.Builder) {
	names := map[string][]string{}
	total := 0
	for _, mutant := range proof.Mutants() {
		if reason, excused := peer.WhyNot(mutant.Name, mutant.Scenario); excused {
			names[reason] = append(names[reason], "`"+mutant.Name+"`")
			total++
		}
	}
	fmt.Fprintf(out, "## Defects that upstream is not asked about\n\n%d mutants of ours have no counterpart in its tests.\n\n| why | mutants |\n| --- | --- |\n", total)
	for _, unasked := range peer.NotAsked() {
		fmt.Fprintf(out, "| %s | %s |\n", unasked.Reason, strings.Join(names[unasked.Reason], " "))
	}
}

// longest is how much of what was said a cell holds.
const longest = 220

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	text = strings.NewReplacer("|", "\\|", "\n", " ", "*", "\\*", "<", "&lt;").Replace(text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
