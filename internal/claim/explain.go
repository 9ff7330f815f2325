package claim

import (
	"fmt"
	"path"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// Line is a verdict in one line: outcome, promise, what was seen.
func Line(v record.Verdict) string {
	line := fmt.Sprintf("%s  %s  %s", outcome(v), v.ID, v.Title)
	if v.Observed != "" {
		line += ": " + v.Observed
	}
	if v.StandIn {
		line += "  [node proxy: stand-in]"
	}
	return line
}

func outcome(v record.Verdict) string {
	text := strings.ToUpper(string(v.Verdict))
	if v.Verdict != record.Held && v.Blame != "" {
		text += fmt.Sprintf(" (blame: %s)", v.Blame)
	}
	return text
}

// Explain is a verdict that did not hold as a reader wants it: what was promised
// and seen, what would have been allowed, the first request that shows it, what
// was configured, and how to look again.
func Explain(v record.Verdict, run *record.Run) string {
	lines := []string{headline(v)}
	add := func(parts ...string) {
		if text := joined("; ", parts...); text != "" {
			lines = append(lines, "  "+text)
		}
	}
	add(v.Detail)
	add(prefixed("allowed ", v.Allowed), prefixed("p ", withEquals(v.P)), replicasOf(v))
	add(prefixed("first odd request ", v.FirstOdd))
	add(strings.Join(v.Config, "; "), fmt.Sprintf("seed %d", run.Seed), versions(run.Environment))
	if v.Known != "" {
		add("known: "+v.Known, v.Reason)
	}
	add(evidence(v, run))
	return strings.Join(lines, "\n")
}

func headline(v record.Verdict) string {
	text := v.Title
	if v.Declared != "" {
		text += ": declared " + v.Declared
	}
	if v.Observed != "" {
		text += "   observed " + v.Observed
	}
	return text + "   " + outcome(v)
}

// replicasOf collects the share that each waypoint replica had.
func replicasOf(v record.Verdict) string {
	var parts []string
	for _, f := range v.Figures {
		if name, ok := strings.CutPrefix(f.Name, "via "); ok {
			share, _, _ := strings.Cut(f.Value, " (")
			parts = append(parts, name+" "+share)
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return "per waypoint replica: " + strings.Join(parts, ", ")
}

func versions(e record.Environment) string {
	return joined(", ", prefixed("Istio ", e.Istio), prefixed("Kubernetes ", e.Kubernetes), prefixed("node proxy ", e.NodeProxy))
}

func evidence(v record.Verdict, run *record.Run) string {
	dir := path.Join("artifacts", run.ID)
	places := dir + "/"
	if len(v.Evidence) > 0 {
		places = path.Join(dir, path.Dir(v.Evidence[0])) + "/"
	}
	return fmt.Sprintf("evidence %s   again: wayproof replay %s", places, dir)
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// withEquals reads "p = 3e-15"; a bound brings its own sign.
func withEquals(p string) string {
	if p == "" || strings.HasPrefix(p, "≤") {
		return p
	}
	return "= " + p
}

func joined(separator string, parts ...string) string {
	var filled []string
	for _, part := range parts {
		if part != "" {
			filled = append(filled, part)
		}
	}
	return strings.Join(filled, separator)
}
