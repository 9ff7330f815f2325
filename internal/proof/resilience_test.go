package proof_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/proof"
	"github.com/wayproof/wayproof/internal/proof/spoil"
	"github.com/wayproof/wayproof/internal/record"
)

// resilient are the promises of all experiments, of a schedule of faults, and of
// an autoscaler's way up and back.
func resilient() []record.Promise {
	nemesis := catalogue.Nemesis(catalogue.Strikes(1, 10*time.Minute))
	var promises []record.Promise
	for _, s := range slices.Concat(catalogue.ScenariosOf(append(catalogue.Resilience(), nemesis)), catalogue.Elasticity()) {
		promises = append(promises, s.Promises...)
	}
	return promises
}

// A new resilience promise needs a mutant of the record that kills such a claim,
// or a word why it has none.
func TestEveryResiliencePromiseKillsAMutantOfTheRecord(t *testing.T) {
	kills := map[string][]string{} // kinds, by mutant
	for _, mutant := range spoil.Mutants() {
		kills[mutant.Name] = mutant.Kills
	}
	endured, reasons, families := proof.Endured(), proof.Unendured(), map[string]bool{}
	for _, promise := range resilient() {
		family := promise.ID[strings.LastIndex(promise.ID, "/")+1:]
		families[family] = true
		if reason, excused := reasons[family]; excused {
			assert.NotEmpty(t, reason, family)
			assert.Empty(t, endured[family], "%s has a reason, and mutants all the same", family)
			continue
		}
		assert.NotEmpty(t, endured[family], "nothing is known to kill %s", promise.ID)
		for _, name := range endured[family] {
			assert.True(t, slices.Contains(kills[name], promise.Kind), "%s, of kind %s, is not what %s kills", promise.ID, promise.Kind, name)
		}
	}
	for family := range endured {
		assert.True(t, families[family], "no promise is called %s", family)
	}
	for family := range reasons {
		assert.True(t, families[family], "no promise is called %s", family)
	}
}
