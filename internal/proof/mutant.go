package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof/fate"
	"github.com/wayproof/wayproof/internal/record"
)

// Mutant is one defect of the mesh.
type Mutant struct {
	Name     string // "split-60-40"
	Title    string // what is wrong, in words
	Scenario string // the id of the scenario that it is made in
	// Kills are the promises that must be violated, Also those that may be
	// besides, because the defect brings it along: names within the scenario.
	Kills, Also []string
	// Unplayable says why no cluster can show the defect to a claim.
	Unplayable string

	make func(*catalogue.Scenario)
}

// Mutants lists all of them, in the order of their scenarios.
func Mutants() []Mutant {
	return slices.Concat(waypoints(), enrolments(), tracings(), splits(), moreSplits(), redirects(), rewrites(),
		mirrors(), moreMirrors(), headers(), paths(), faults(), timeouts(), retries(), balances(), autoscalers(), budgets())
}

// Expectation is what the mutant declares, in names within its scenario.
func (m Mutant) Expectation() fate.Expectation {
	return fate.Expectation{Kills: m.Kills, Also: m.Also}
}

// Promises are the ids of the promises that must be violated.
func (m Mutant) Promises() []string {
	ids := make([]string, len(m.Kills))
	for i, name := range m.Kills {
		ids[i] = m.Scenario + "/" + name
	}
	return ids
}

// Spoil makes the defect in the mutant's scenario and leaves others as they are.
func (m Mutant) Spoil(s catalogue.Scenario) catalogue.Scenario {
	if s.ID != m.Scenario {
		return s
	}
	s.Apply, s.Setup, s.Drives = slices.Clone(s.Apply), slices.Clone(s.Setup), slices.Clone(s.Drives)
	s.Replicas = maps.Clone(s.Replicas)
	m.make(&s)
	return s
}

// Sound is what mutants are made of: the scenarios, their promises as a whole
// run plans them, and the promises that are not asked because the mesh is known
// to break them anyway.
type Sound struct {
	Planned []record.Promise
	Known   []string
}

// Plan plans the traffic scenarios whole: a mutant must be killed by a promise
// of the size and alpha that it has in a run of everything.
func Plan(seed uint64) (Sound, error) {
	plan, err := catalogue.Plan(catalogue.Traffic(), seed)
	if err != nil {
		return Sound{}, err
	}
	known, err := catalogue.Known()
	if err != nil {
		return Sound{}, err
	}
	sound := Sound{Planned: plan.Promises}
	for _, entry := range known {
		sound.Known = append(sound.Known, entry.Claim)
	}
	return sound, nil
}

// Apply makes the mutant of its scenario, cut down to the stages that the named
// promises read, and with the promises that read nothing else. Its ids, stages
// and promises begin with the mutant's name, so that one run can hold many.
func (m Mutant) Apply(sound Sound) (catalogue.Scenario, error) {
	scenario, err := m.scenario()
	if err != nil {
		return catalogue.Scenario{}, err
	}
	whole := scenario.Promises
	m.make(&scenario)
	asked := idsOf(scenario.Promises)
	scenario.Promises = nil
	for _, promise := range whole {
		if slices.Contains(asked, promise.ID) && !slices.Contains(sound.Known, promise.ID) {
			scenario.Promises = append(scenario.Promises, sound.planned(promise.ID))
		}
	}
	return m.cut(scenario)
}

func (m Mutant) scenario() (catalogue.Scenario, error) {
	for _, scenario := range catalogue.Traffic() {
		if scenario.ID == m.Scenario {
			return scenario, nil
		}
	}
	return catalogue.Scenario{}, fmt.Errorf("mutant %s: no scenario %q", m.Name, m.Scenario)
}

func idsOf(promises []record.Promise) (ids []string) {
	for _, promise := range promises {
		ids = append(ids, promise.ID)
	}
	return ids
}

func (s Sound) planned(id string) record.Promise {
	for _, promise := range s.Planned {
		if promise.ID == id {
			return promise
		}
	}
	return record.Promise{ID: id}
}

// cut keeps the stages that the named promises read, and renames.
func (m Mutant) cut(s catalogue.Scenario) (catalogue.Scenario, error) {
	var stages []string
	for _, id := range m.Promises() {
		place := slices.IndexFunc(s.Promises, func(p record.Promise) bool { return p.ID == id })
		if place < 0 {
			return s, fmt.Errorf("mutant %s: no promise %s to be killed by", m.Name, id)
		}
		stages = append(stages, s.Promises[place].Stages...)
		s.Until = append(s.Until, m.prefixed(id))
	}
	s.Drives = slices.DeleteFunc(slices.Clone(s.Drives), func(d catalogue.Drive) bool { return !slices.Contains(stages, d.Name) })
	s.Promises = slices.DeleteFunc(slices.Clone(s.Promises), func(p record.Promise) bool {
		return slices.ContainsFunc(p.Stages, func(stage string) bool { return !slices.Contains(stages, stage) })
	})
	m.rename(&s)
	return s, nil
}

// patience bounds how long samples of the cluster may take to become what is
// promised: of what is wrong on purpose they never do.
const patience = 6 * time.Second

func (m Mutant) rename(s *catalogue.Scenario) {
	s.ID = m.prefixed(s.ID)
	for i := range s.Drives {
		s.Drives[i].Name = m.prefixed(s.Drives[i].Name)
		s.Drives[i].Within = min(s.Drives[i].Within, patience)
	}
	for i := range s.Promises {
		s.Promises[i].ID = m.prefixed(s.Promises[i].ID)
		stages := make([]string, len(s.Promises[i].Stages))
		for j, stage := range s.Promises[i].Stages {
			stages[j] = m.prefixed(stage)
		}
		s.Promises[i].Stages = stages
	}
}

func (m Mutant) prefixed(id string) string { return m.Name + "/" + id }

// within is the name of a promise within the mutant's scenario.
func (m Mutant) within(id string) string {
	return strings.TrimPrefix(strings.TrimPrefix(id, m.Name+"/"), m.Scenario+"/")
}
