// Package resilience holds the specs of the experiments: each breaks one thing
// under load in four arms, and judges what it cost, how soon it was over, and
// that everything was put back.
package resilience

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/suites"
)

// experimentTimeout bounds one experiment: the longest, with everything late.
const experimentTimeout = 15 * time.Minute

// elasticTimeout bounds a plateau of an autoscaler and the way back.
const elasticTimeout = 45 * time.Minute

// nemesisTimeout bounds a schedule.
const nemesisTimeout = 3 * time.Hour

var _ = Describe("Resilience", Serial, Ordered, ContinueOnFailure, Label("resilience"), func() {
	for _, experiment := range catalogue.Resilience() {
		It(experiment.Title, Label(experiment.Labels...), SpecTimeout(experimentTimeout), GracePeriod(scene.ExperimentGrace), func(ctx SpecContext) {
			if !suites.Selected(experiment.Scenario) {
				Skip("not selected")
			}
			if err := suites.Experiment(ctx, experiment); err != nil {
				Fail(err.Error())
			}
		})
	}
	for _, scenario := range catalogue.Elasticity() {
		It(scenario.Title, Label(scenario.Labels...), SpecTimeout(elasticTimeout), GracePeriod(scene.ScenarioGrace), func(ctx SpecContext) {
			if !suites.Selected(scenario) {
				Skip("not selected")
			}
			if err := suites.Play(ctx, scenario); err != nil {
				Fail(err.Error())
			}
		})
	}
	It("keeps its promises through a schedule of random faults", Label("nemesis"), SpecTimeout(nemesisTimeout), GracePeriod(scene.ExperimentGrace), func(ctx SpecContext) {
		experiment, drawn := suites.Scheduled()
		if !drawn {
			Skip("no schedule was drawn")
		}
		if err := suites.Experiment(ctx, experiment); err != nil {
			Fail(err.Error())
		}
	})
})
