package record

// Outcome is what a claim says of a promise. The zero value is not an outcome:
// a verdict that was never reached cannot look green.
type Outcome string

// The outcomes. ViolatedKnown is a deviation that is listed, reviewed and not
// expired: shown, and not failing.
const (
	Held          Outcome = "held"
	Unsupported   Outcome = "unsupported"
	ViolatedKnown Outcome = "violated (known)"
	Inconclusive  Outcome = "inconclusive"
	Violated      Outcome = "violated"
)

// ExitCode is what a run with this worst outcome ends with: 0 held, 1 violated,
// 2 inconclusive. What could not run at all has no outcome and ends with 3.
func (o Outcome) ExitCode() int {
	switch o {
	case Held, Unsupported, ViolatedKnown:
		return 0
	case Inconclusive:
		return 2
	case Violated:
		return 1
	default:
		return 1 // what is not known is no success
	}
}

// Blame names who a verdict that is not held points at.
type Blame string

// Who can be to blame.
const (
	Mesh    Blame = "mesh"
	Harness Blame = "harness"
	Nature  Blame = "environment"
)

// Verdict is the judgement of one promise, with the numbers it rests on.
type Verdict struct {
	ID      string  `json:"id"`
	Task    string  `json:"task"`
	Title   string  `json:"title"`
	Verdict Outcome `json:"verdict"`
	Blame   Blame   `json:"blame,omitempty"`
	Unit    string  `json:"unit,omitempty"`
	N       int     `json:"n"` // units judged
	Alpha   float64 `json:"alpha"`
	Beta    float64 `json:"beta"`
	Delta   int     `json:"delta"` // per mille
	// Declared is what was promised, in words: "v1 70 %, v2 30 %".
	Declared string `json:"declared,omitempty"`
	// Observed is the figure of interest in words: "v1 69.9 % (1129/1615)".
	Observed string `json:"observed"`
	Allowed  string `json:"allowed,omitempty"` // the band or bound it was held against
	P        string `json:"p,omitempty"`       // p-value where the claim has one
	Detail   string `json:"detail"`            // one sentence to act on
	Reason   string `json:"reason,omitempty"`  // why inconclusive or unsupported
	// FirstOdd is the first request that shows the trouble, if one does.
	FirstOdd string   `json:"firstOdd,omitempty"`
	Figures  []Figure `json:"figures,omitempty"` // every number behind the sentence, in a stable order
	Evidence []string `json:"evidence,omitempty"`
	Known    string   `json:"known,omitempty"` // link of the listed deviation
	// Signature is the deviation without counts and request numbers, so that a
	// listed deviation can be recognised exactly: "row-7: location \"http://a/\"".
	Signature string `json:"signature,omitempty"`
	// Config repeats what the judged stages ran under.
	Config  []string `json:"config,omitempty"`
	StandIn bool     `json:"standIn,omitempty"`
}

// Figure is one named number of a verdict, rendered exactly.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// severity orders outcomes from best to worst. What is not an outcome is worst.
func severity(o Outcome) int {
	switch o {
	case Held:
		return 0
	case Unsupported:
		return 1
	case ViolatedKnown:
		return 2
	case Inconclusive:
		return 3
	case Violated:
		return 4
	default:
		return 5
	}
}

// Worst is the worse of two outcomes: held < unsupported < violated (known) <
// inconclusive < violated.
func Worst(a, b Outcome) Outcome {
	if severity(b) > severity(a) {
		return b
	}
	return a
}
