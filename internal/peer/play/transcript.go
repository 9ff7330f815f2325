package play

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/wayproof/wayproof/internal/peer"
)

// transcript is what was read off the output of a test program. It runs with
// -test.v=test2json, which tells each result as it is reached, parts before
// their test, behind a marker.
type transcript struct {
	outcomes []peer.Outcome
	ended    bool     // the spec itself has a result
	last     []string // what was said besides results
	err      error
}

// marker stands before what the test program says of itself.
const marker = "\x16"

// keptLines is how much of the output an error repeats.
const keptLines = 8

// expressions are the lines that matter.
type expressions struct {
	turn, result, unexpected, shares, silence *regexp.Regexp
}

func newExpressions() expressions {
	return expressions{
		turn:   regexp.MustCompile(`^=== (?:RUN|NAME|CONT) +(\S+)`),
		result: regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)`),
		// Upstream's two ways to say that an answer came and was another one.
		unexpected: regexp.MustCompile(`Response expectation failed for request: .* not ready yet: (.*?)(?: \(after [^)]*\))?$`),
		shares:     regexp.MustCompile(`Traffic distribution test failed \(\d+/\d+\): (.*)$`),
		// They say it too where the client could not be run, or got no answer.
		silence: regexp.MustCompile(`batch request failed|^invalid status code ''`),
	}
}

// listener reads lines. A failed test has the reason of the first of its parts
// that failed: what that part saw last.
type listener struct {
	expressions

	spec    string
	tell    func(peer.Outcome)
	current string            // the part that the lines are of
	seen    map[string]string // by part
	reasons map[string]string // by test
	made    transcript
}

// listen reads the output of a spec to its end.
func listen(output io.Reader, spec string, tell func(peer.Outcome)) transcript {
	l := &listener{expressions: newExpressions(), spec: spec, tell: tell, seen: map[string]string{}, reasons: map[string]string{}}
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		l.hear(strings.TrimPrefix(strings.TrimRight(line, "\n"), marker))
		if err == io.EOF {
			return l.made
		}
		if err != nil {
			l.made.err = err
			return l.made
		}
	}
}

func (l *listener) hear(line string) {
	if found := l.turn.FindStringSubmatch(line); found != nil {
		l.current = found[1]
		return
	}
	if found := l.result.FindStringSubmatch(line); found != nil {
		seconds, _ := strconv.ParseFloat(found[3], 64) // as the expression has it
		l.end(found[1] == "PASS", found[2], seconds)
		return
	}
	if said := strings.TrimSpace(line); said != "" && said != "FAIL" {
		l.made.last = append(l.made.last[max(0, len(l.made.last)-keptLines+1):], said)
	}
	for _, expression := range []*regexp.Regexp{l.unexpected, l.shares} {
		if found := expression.FindStringSubmatch(line); found != nil && !l.silence.MatchString(found[1]) {
			l.seen[l.current] = found[1]
		}
	}
}

// end notes the result of the spec, of a test, or of a part of one.
func (l *listener) end(passed bool, name string, seconds float64) {
	below, ours := strings.CutPrefix(name, l.spec)
	if !ours {
		return
	}
	if below == "" {
		l.made.ended = true
		return
	}
	test, part, isPart := strings.Cut(strings.TrimPrefix(below, "/"), "/")
	if isPart {
		if reason := l.seen[name]; !passed && reason != "" && l.reasons[test] == "" {
			l.reasons[test] = part + ": " + reason
		}
		return
	}
	outcome := peer.Outcome{Test: test, Passed: passed, Seconds: seconds}
	if !passed {
		outcome.Reason = l.reasons[test]
	}
	l.made.outcomes = append(l.made.outcomes, outcome)
	l.tell(outcome)
}
