package peer

import (
	"fmt"
	"regexp"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Mutant is one defect that upstream's tests are played against.
type Mutant struct {
	Name  string // that of ours where it is the same defect
	Title string // what is wrong, in words
	Ours  bool   // package proof has a mutant of the same name and kind
	Tests []string

	// Manifest is the file of upstream's that the defect is made in, Route the
	// route in it. Change makes it; without Change the route is missing.
	Manifest, Route string
	Change          func(*gatewayv1.HTTPRoute)
	// Spoil makes the defect in the enrolment instead.
	Spoil func(*Enrolment)
}

// Enrolment is how upstream's namespace is part of the mesh.
type Enrolment struct {
	Waypoint bool // it is there
	Used     bool // the namespace goes by it
	OptedOut bool // the Service echo does not
}

// Enrol is the enrolment that a mutant is played with; without one, the sound.
func (m *Mutant) Enrol() Enrolment {
	sound := Enrolment{Waypoint: true, Used: true}
	if m != nil && m.Spoil != nil {
		m.Spoil(&sound)
	}
	return sound
}

// Mutants lists all of them: those that ours are played against too, then those
// that only upstream has a test for.
func Mutants() []Mutant {
	return slices.Concat(splits(), redirects(), rewrites(), headers(), paths(), enrolments(), upstreams())
}

// Find looks a mutant up by its name.
func Find(name string) (*Mutant, error) {
	for _, mutant := range Mutants() {
		if mutant.Name == name {
			return &mutant, nil
		}
	}
	return nil, fmt.Errorf("no mutant %q of upstream's manifests", name)
}

// Select keeps the mutants whose name, title or tests match the expression.
func Select(focus string) ([]Mutant, error) {
	wanted, err := regexp.Compile(focus)
	if err != nil {
		return nil, fmt.Errorf("--focus %q: %w", focus, err)
	}
	mutants := slices.DeleteFunc(Mutants(), func(m Mutant) bool {
		return !wanted.MatchString(fmt.Sprint(m.Name, " ", m.Title, " ", m.Tests))
	})
	if len(mutants) == 0 {
		return nil, fmt.Errorf("--focus %q: no mutant's name, title or test matches", focus)
	}
	return mutants, nil
}

// Asked are the tests that mutants need of the sound mesh, in upstream's order:
// the whole profile if every mutant is there.
func Asked(mutants []Mutant) []string {
	whole, needed := len(mutants) == len(Mutants()), map[string]bool{}
	for _, mutant := range mutants {
		for _, test := range mutant.Tests {
			needed[test] = true
		}
	}
	var names []string
	for _, test := range Profile() {
		if whole || needed[test.Name] {
			names = append(names, test.Name)
		}
	}
	return names
}

// in makes mutants of one route that one of upstream's tests applies.
type in struct {
	test, manifest, route string
	ours                  bool
}

func (i in) of(name, title string, change func(*gatewayv1.HTTPRoute)) Mutant {
	return Mutant{
		Name: name, Title: title, Ours: i.ours, Tests: []string{i.test},
		Manifest: "tests/mesh/" + i.manifest + ".yaml", Route: i.route, Change: change,
	}
}
