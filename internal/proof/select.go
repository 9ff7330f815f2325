package proof

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
)

// Selection picks mutants: those whose name, title, scenario or promises the
// focus matches and whose scenario bears one of the labels, and of these a draw
// by the seed that takes about Sample, if that is set.
type Selection struct {
	Focus  string
	Labels []string // of scenarios, or tasks
	Sample time.Duration
	Seed   uint64
}

// Select lists the mutants of a selection in their order. None is an error.
func Select(all []Mutant, selection Selection, sound Sound) ([]Mutant, error) {
	focus, err := regexp.Compile(selection.Focus)
	if err != nil {
		return nil, fmt.Errorf("focus %q: %w", selection.Focus, err)
	}
	var picked []Mutant
	for _, mutant := range all {
		scenario, err := mutant.scenario()
		if err != nil {
			return nil, err
		}
		if focus.MatchString(mutant.text()) && labelled(scenario, selection.Labels) {
			picked = append(picked, mutant)
		}
	}
	if selection.Sample > 0 {
		if picked, err = draw(picked, selection, sound); err != nil {
			return nil, err
		}
	}
	if len(picked) == 0 {
		return nil, fmt.Errorf("no mutant matches focus %q and labels %v", selection.Focus, selection.Labels)
	}
	return picked, nil
}

// text is what a focus is matched against.
func (m Mutant) text() string {
	return m.Name + " " + m.Title + " " + strings.Join(m.Promises(), " ")
}

func labelled(scenario catalogue.Scenario, labels []string) bool {
	return len(labels) == 0 || slices.ContainsFunc(labels, func(label string) bool {
		return label == scenario.Task || slices.Contains(scenario.Labels, label)
	})
}

// draw takes mutants in an order of the seed as long as they fit into the time,
// and lists them in their own order.
func draw(all []Mutant, selection Selection, sound Sound) ([]Mutant, error) {
	shuffled := slices.Clone(all)
	random := rand.New(rand.NewPCG(selection.Seed, 0x6b696c6c))
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	left, drawn := selection.Sample, map[string]bool{}
	for _, mutant := range shuffled {
		scenario, err := mutant.Apply(sound)
		if err != nil {
			return nil, err
		}
		if expected := Expect(scenario); expected <= left && mutant.Unplayable == "" {
			left -= expected
			drawn[mutant.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(m Mutant) bool { return !drawn[m.Name] }), nil
}
