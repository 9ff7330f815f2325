package replay

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/wayproof/wayproof/internal/record"
)

// Recorded reads the verdicts that a run recorded of itself. They stand in two
// files; where these contradict each other that is a difference too. A run
// that ended before it wrote the one is read from the other.
func Recorded(dir string, run *record.Run) ([]record.Verdict, []Difference, error) {
	verdicts, err := record.ReadVerdicts(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return run.Verdicts, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read what was recorded: %w", err)
	}
	return verdicts, contradictions(run.Verdicts, verdicts), nil
}

// contradictions compares the two files that hold verdicts.
func contradictions(head, list []record.Verdict) []Difference {
	byID := map[string]record.Verdict{}
	for _, v := range list {
		byID[v.ID] = v
	}
	var between Result
	for _, v := range head {
		if other, found := byID[v.ID]; found {
			between.hold(v, other)
		} else {
			between.differ(v.ID, "presence", "in "+record.RunFile, "not in "+record.VerdictsFile)
		}
	}
	for i := range between.Differences {
		between.Differences[i].Field += " in " + record.RunFile + " and " + record.VerdictsFile
	}
	return between.Differences
}
