package proof

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/claim"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

const head = `# Kill matrix

Who judges the judge? Each mutant is one small named defect. Beforehand it names the promises (of the mesh) or the
kinds of claim (of a record) that must be violated by it; every other one that reads the same stages must not be. A
mutant is *killed* only if both are so. Made by ` + "`wayproof prove matrix RUN`" + ` from recorded runs of ` + "`make prove`" + `; a test
holds this file against the mutants and promises of the source.

`

// Render writes the matrix as Markdown.
func (m *Matrix) Render(w io.Writer) error {
	var out strings.Builder
	out.WriteString(head)
	m.renderMesh(&out)
	m.renderPromises(&out)
	m.renderRecords(&out)
	renderEndured(&out)
	if m.Soak != nil {
		m.Soak.render(&out)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (m *Matrix) renderMesh(out *strings.Builder) {
	counts, seconds := m.fates(Mutants()), 0.0
	for _, row := range m.Results {
		seconds += row.Seconds
	}
	fmt.Fprintf(out, "## Mutants of the mesh\n\n%d mutants applied to a real cluster: %d killed, %d not playable here, %d otherwise; %.0f minutes in all.\n",
		len(m.Results), counts[fate.Killed], counts[fate.Unplayable], len(m.Results)-counts[fate.Killed]-counts[fate.Unplayable], seconds/60)
	out.WriteString("A row again: `wayproof prove --focus '^NAME '`, those of retries/httproute with `--gateway-api experimental`.\n")
	last := ""
	for _, row := range m.Results {
		if row.Scenario != last {
			fmt.Fprintf(out, "\n### %s\n\n| mutant | defect | must be violated | n | observed | kills of plays | run (Istio) |\n| --- | --- | --- | --- | --- | --- | --- |\n", row.Scenario)
			last = row.Scenario
		}
		row.render(out)
	}
	out.WriteString("\n")
	for _, mutant := range Mutants() {
		if reason, owed := Owed()[mutant.Name]; owed {
			fmt.Fprintf(out, "Owed, `%s` (%s): %s.\n\n", mutant.Name, mutant.Title, reason)
		}
	}
}

// render writes a line for each promise that had to be violated.
func (r Row) render(out *strings.Builder) {
	if len(r.Named()) == 0 || r.Fate == fate.Unplayable {
		fmt.Fprintf(out, "| `%s` | %s | %s | | *%s*: %s | | %s |\n", r.Mutant, cell(r.Title), strings.Join(r.Kills, ", "), r.Fate, cell(r.Reason), r.source())
		return
	}
	name, title := "`"+r.Mutant+"`", cell(r.Title)
	if r.Fate != fate.Killed {
		title += " **" + string(r.Fate) + "**"
	}
	plays, source := fmt.Sprintf("%d/%d", r.Killed(), len(r.Plays)), r.source()
	for _, seen := range r.Named() {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n", name, title, seen.Promise, count(seen), cell(seen.tell()), plays, source)
		name, title, plays, source = "", "", "", ""
	}
	for _, seen := range r.Seen {
		if seen.Outcome == record.Violated && !slices.Contains(r.Kills, seen.Promise) {
			fmt.Fprintf(out, "| | | *with it:* %s | %s | %s | | |\n", seen.Promise, count(seen), cell(seen.tell()))
		}
	}
}

// source is the run that the result is of.
func (r Row) source() string { return fmt.Sprintf("%s (%s)", r.Run, r.Istio) }

func count(s Seen) string {
	if s.N == 0 {
		return ""
	}
	return fmt.Sprint(s.N)
}

// tell is what was seen, with the statistic where there is one.
func (s Seen) tell() string {
	if s.Outcome != record.Violated {
		return string(s.Outcome) + ": " + s.Detail
	}
	switch s.Kind {
	case claim.KindSplit, claim.KindShare, claim.KindMirror, claim.KindIndependence, claim.KindLatency, claim.KindShift, claim.KindBalance:
		text := s.Observed
		if s.P != "" {
			text += "; p " + s.P
		}
		if s.Declared != "" {
			text += "; declared " + s.Declared
		}
		return text
	}
	return s.Detail
}

// longest is how much of a sentence a cell holds.
const longest = 170

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	text = strings.NewReplacer("|", "\\|", "\n", " ", "*", "\\*").Replace(text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

func (m *Matrix) renderPromises(out *strings.Builder) {
	fmt.Fprintf(out, "## Promises\n\nWhat each promise said of the mesh without a mutant (runs %s), and the mutants that it killed.\n\n", strings.Join(m.SoundRuns, ", "))
	out.WriteString("| promise | claim | sound mesh | kills |\n| --- | --- | --- | --- |\n")
	for _, scenario := range catalogue.Traffic() {
		for _, promise := range scenario.Promises {
			fmt.Fprintf(out, "| %s | %s | %s | %s |\n", promise.ID, promise.Kind, m.Sound[promise.ID], m.account(promise.ID))
		}
	}
	out.WriteString("\n")
}

// account says which mutants a promise killed, or why none.
func (m *Matrix) account(id string) string {
	if names := m.Killers(id); len(names) > 0 {
		return "`" + strings.Join(names, "` `") + "`"
	}
	for _, reasons := range []map[string]string{Spared(), Owed()} {
		if reason, told := reasons[id]; told {
			return "*none: " + reason + "*"
		}
	}
	if m.Sound[id][record.ViolatedKnown] > 0 {
		return "*none: broken by the sound mesh*"
	}
	return "**none**"
}

// marks are the cells of the table of records.
func marks() map[string]string {
	return map[string]string{spoil.Must: "✗", spoil.May: "(✗)", spoil.Mute: "?", spoil.Held: "·", "": ""}
}

func (m *Matrix) renderRecords(out *strings.Builder) {
	trials, killed := 0, 0
	for _, tally := range m.Records {
		trials, killed = trials+tally.Trials, killed+tally.Killed
	}
	fmt.Fprintf(out, "## Mutants of the record\n\nDefects made in sound recordings of %d seeds: %d of %d trials killed. Again: `wayproof prove records --seeds %d`.\n\n", m.Seeds, killed, trials, m.Seeds)
	out.WriteString("✗ must be violated, (✗) may be as a consequence, ? must be inconclusive and blame the harness, · judged and held.\n\n")
	kinds := claim.Kinds()
	out.WriteString("| mutant | defect | killed | " + strings.Join(kinds, " | ") + " |\n|" + strings.Repeat(" --- |", 3+len(kinds)) + "\n")
	for _, tally := range m.Records {
		cells := make([]string, len(kinds))
		for i, kind := range kinds {
			cells[i] = marks()[tally.Marks[kind]]
		}
		fmt.Fprintf(out, "| `%s` | %s | %d/%d | %s |\n", tally.Mutant, cell(tally.Title), tally.Killed, tally.Trials, strings.Join(cells, " | "))
	}
}
