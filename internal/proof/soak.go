package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/internal/stat"
)

// soaked are the scenarios that a soak plays again and again: those whose
// statistical promises take least time for each verdict, and in every fifth
// round those that complete the kinds that can be false-alarmed.
func soaked(round int) []string {
	often := []string{"task4/split-70-30", "faults/both", "task4/split-90-10", "headers/exact"}
	if round%5 != 1 {
		return often
	}
	return append(often, "faults/delay", "task7/mirror-50", "task7/mirror-slow", "l4/connections")
}

// Healthy are the scenarios of one round of a soak, cut to the promises that can
// be false-alarmed. Their ids begin with the round.
func Healthy(sound Sound, round int) ([]catalogue.Scenario, error) {
	var all []catalogue.Scenario
	for _, id := range soaked(round) {
		idle := Mutant{Name: fmt.Sprintf("round-%d", round), Scenario: id, make: func(*catalogue.Scenario) {}}
		for _, promise := range sound.Planned {
			if promise.Alpha > 0 && idle.owns(promise) {
				idle.Kills = append(idle.Kills, idle.within(promise.ID))
			}
		}
		scenario, err := idle.Apply(sound)
		if err != nil {
			return nil, err
		}
		scenario.Promises = slices.DeleteFunc(scenario.Promises, func(p record.Promise) bool { return p.Alpha == 0 })
		all = append(all, scenario)
	}
	return all, nil
}

// owns says whether a promise is one of the mutant's scenario.
func (m Mutant) owns(promise record.Promise) bool {
	return promise.ID == m.Scenario+"/"+m.within(promise.ID) && m.within(promise.ID) != promise.ID
}

// Soak is how often promises about a sound mesh were called broken.
type Soak struct {
	Schema  int       `json:"schema"`
	Run     string    `json:"run"`
	Istio   string    `json:"istio"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Rounds  int       `json:"rounds"`
	// Outcomes counts verdicts by kind of claim and outcome.
	Outcomes map[string]map[record.Outcome]int `json:"outcomes"`
	Verdicts int                               `json:"verdicts"` // held or violated
	Violated int                               `json:"violated"`
	// Stages counts those that verdicts were reached of, Alarmed those of them with
	// a violated one. Verdicts of one stage share its requests and with them their
	// chance; stages have requests of their own.
	Stages  int `json:"stages"`
	Alarmed int `json:"alarmed"`
	// Bound is the upper end of the exact one-sided 95 % interval, by Clopper and
	// Pearson, of the probability that a stage has a false alarm.
	Bound float64 `json:"bound"`
	// Expected is what the alphas of these verdicts sum up to.
	Expected float64  `json:"expected"`
	Broken   []string `json:"broken,omitempty"` // the verdicts that were violated, in words
}

// Add counts the verdicts of a scenario.
func (s *Soak) Add(played catalogue.Scenario, verdicts []record.Verdict) {
	if s.Outcomes == nil {
		s.Outcomes = map[string]map[record.Outcome]int{}
	}
	alarmed := map[string]bool{} // by stage
	for _, verdict := range verdicts {
		place := slices.IndexFunc(played.Promises, func(p record.Promise) bool { return p.ID == verdict.ID })
		if place < 0 {
			continue
		}
		promise := played.Promises[place]
		s.count(promise.Kind, verdict.Verdict, 1)
		if verdict.Verdict != record.Held && verdict.Verdict != record.Violated {
			continue // no verdict about the mesh
		}
		s.Verdicts++
		s.Expected += verdict.Alpha
		alarmed[promise.Stages[0]] = alarmed[promise.Stages[0]] || verdict.Verdict == record.Violated
		if verdict.Verdict == record.Violated {
			s.Violated++
			s.Broken = append(s.Broken, verdict.ID+": "+verdict.Detail)
		}
	}
	for _, wrongly := range alarmed {
		s.Stages++
		if wrongly {
			s.Alarmed++
		}
	}
	s.Bound = bound(s.Alarmed, s.Stages)
}

func (s *Soak) count(kind string, outcome record.Outcome, times int) {
	if s.Outcomes[kind] == nil {
		s.Outcomes[kind] = map[record.Outcome]int{}
	}
	s.Outcomes[kind][outcome] += times
}

// Merge adds what another soak found.
func (s *Soak) Merge(other Soak) {
	if s.Outcomes == nil {
		s.Outcomes, s.Started = map[string]map[record.Outcome]int{}, other.Started
	}
	for kind, counts := range other.Outcomes {
		for outcome, times := range counts {
			s.count(kind, outcome, times)
		}
	}
	s.Schema, s.Istio, s.Ended = other.Schema, other.Istio, other.Ended
	s.Run = strings.TrimPrefix(s.Run+", "+other.Run, ", ")
	s.Rounds, s.Verdicts, s.Violated = s.Rounds+other.Rounds, s.Verdicts+other.Verdicts, s.Violated+other.Violated
	s.Stages, s.Alarmed = s.Stages+other.Stages, s.Alarmed+other.Alarmed
	s.Expected, s.Broken = s.Expected+other.Expected, append(s.Broken, other.Broken...)
	s.Bound = bound(s.Alarmed, s.Stages)
}

// confidence of the bound.
const confidence = 0.95

func bound(alarmed, stages int) float64 {
	if stages == 0 {
		return 1
	}
	return stat.RateUpper(alarmed, stages, 1-confidence)
}

// render writes the soak as a section of the matrix.
func (s *Soak) render(out *strings.Builder) {
	fmt.Fprintf(out, "\n## False alarms\n\n%d verdicts in %d rounds on a mesh without a mutant (`wayproof soak`, runs %s, Istio %s): %d violated. ",
		s.Verdicts, s.Rounds, s.Run, s.Istio, s.Violated)
	fmt.Fprintf(out, "Verdicts of one stage share its requests, so the stage is what is counted: %d of %d stages had a false alarm, and it has one with probability at most %.2g %% (exact one-sided 95 %% interval). By the declared alphas %.1e false alarms were to be expected among all verdicts.\n\n",
		s.Alarmed, s.Stages, 100*s.Bound, s.Expected)
	out.WriteString("| claim | held | violated | inconclusive |\n| --- | --- | --- | --- |\n")
	for _, kind := range slices.Sorted(maps.Keys(s.Outcomes)) {
		counts := s.Outcomes[kind]
		fmt.Fprintf(out, "| %s | %d | %d | %d |\n", kind, counts[record.Held], counts[record.Violated], counts[record.Inconclusive])
	}
	for _, text := range s.Broken {
		fmt.Fprintf(out, "\n- %s", cell(text))
	}
}
