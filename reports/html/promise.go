package html

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/reports/internal/digest"
	"github.com/wayproof/wayproof/reports/internal/outcome"
	"github.com/wayproof/wayproof/reports/internal/plain"
	"github.com/wayproof/wayproof/reports/summary"
)

// promise is one promise with its verdict, numbers and pictures.
type promise struct {
	Anchor, ID, Task, Title                string
	Badge                                  badge
	Blame, Unit                            string
	StandIn, Open                          bool
	N, Alpha, Beta, Delta                  string
	Declared, Observed, Allowed, P         string
	Detail, Reason, FirstOdd, Known, Where string
	Config                                 []string
	Figures                                []record.Figure
	Evidence                               []evidence
	Pictures                               []picture
	Undrawn                                string // stages that have no picture
	Judge, Repeat                          string // commands
}

// evidence is a file beside the page; a name that is no relative path has no link.
type evidence struct{ Name, Link string }

func newPromise(run *record.Run, d *digest.Digest, v record.Verdict, dir string) promise {
	p := promise{
		ID: plain.Line(v.ID), Task: plain.Line(v.Task), Title: plain.Line(v.Title),
		Badge: newBadge(v.Verdict), Unit: plain.Line(v.Unit), StandIn: outcome.StandIn(run, v),
		N: fmt.Sprint(v.N), Alpha: summary.Probability(v.Alpha), Beta: summary.Probability(v.Beta), Delta: points(v.Delta),
		Declared: plain.Line(v.Declared), Observed: plain.Line(v.Observed), Allowed: plain.Line(v.Allowed), P: plain.Line(v.P),
		Detail: sentence(v.Detail), FirstOdd: plain.Line(v.FirstOdd), Figures: numbers(run, v),
		Open: outcome.NeedsReader(v), Known: plain.Line(v.Known), Judge: summary.Judge(run, v, dir), Repeat: summary.Repeat(run, v),
	}
	if v.Verdict != record.Held {
		p.Blame = plain.Line(string(v.Blame))
	}
	if reason := plain.Line(v.Reason); !strings.Contains(p.Detail, reason) {
		p.Reason = reason
	}
	for _, line := range v.Config {
		p.Config = append(p.Config, plain.Line(line))
	}
	for _, file := range v.Evidence {
		p.Evidence = append(p.Evidence, newEvidence(file))
	}
	about, more := subjects(run, d, v)
	p.Undrawn = undrawn(more)
	if grown, ok := shifted(about); ok {
		p.Pictures = append(p.Pictures, grown)
	}
	for _, s := range about {
		p.Pictures = append(p.Pictures, s.pictures()...)
	}
	return p
}

// undrawn says of how many stages there is no picture.
func undrawn(more int) string {
	switch more {
	case 0:
		return ""
	case 1:
		return "1 more stage is in the record and not drawn."
	}
	return fmt.Sprintf("%d more stages are in the record and not drawn.", more)
}

// Brief is a text as the table has it: the promise's card has all of it.
func (promise) Brief(text string) string { return plain.Cut(text, longestCell) }

// longestCell is how long a cell of the table may be: three lines on a desk.
const longestCell = 90

// numbers are the figures of the verdict, and the exact error probabilities of
// the tests that were planned for it.
func numbers(run *record.Run, v record.Verdict) []record.Figure {
	var out []record.Figure
	for _, f := range v.Figures {
		out = append(out, record.Figure{Name: plain.Line(f.Name), Value: plain.Line(f.Value)})
	}
	for _, p := range run.Plan.Promises {
		for _, d := range p.Design {
			if p.ID == v.ID {
				out = append(out, record.Figure{
					Name: "test of " + plain.Line(d.Of),
					Value: fmt.Sprintf("at most %d, then %d..%d; false alarm %.2g, miss %.2g; median %d on a sound mesh",
						d.N, d.Lo, d.Hi, d.FalseAlarm, d.Miss, d.Median),
				})
			}
		}
	}
	return out
}

// sentence ends a text with a full stop, unless it ends with something like it.
func sentence(text string) string {
	text = plain.Line(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:") {
		return text
	}
	return text + "."
}

func points(perMille int) string {
	if perMille == 0 {
		return ""
	}
	if perMille == 10 {
		return "1 point"
	}
	return fmt.Sprintf("%g points", float64(perMille)/10)
}

// newEvidence links a file only if it lies below the page: no scheme, no host,
// no way up.
func newEvidence(file string) evidence {
	e := evidence{Name: plain.Line(file)}
	clean := path.Clean(file)
	if clean != file || path.IsAbs(clean) || clean == "." || strings.HasPrefix(clean, "..") || e.Name != file || strings.Contains(file, "\\") {
		return e
	}
	segments := strings.Split(clean, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	e.Link = "./" + strings.Join(segments, "/")
	return e
}

// KnownLink is the link of a listed deviation if it is one that a browser may
// follow; the page names anything else without linking it.
func (p promise) KnownLink() string {
	if u, err := url.Parse(p.Known); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return u.String()
	}
	return ""
}
