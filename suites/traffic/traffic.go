// Package traffic holds the specs of the workshop's nine tasks and of the
// capabilities that its text names. A container is a task, a spec is one thing
// that the mesh is asked to do, played before, under and after its
// configuration.
package traffic

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/scene"
	"github.com/wayproof/wayproof/suites"
)

// scenarioTimeout bounds one scenario: the longest, with everything late.
const scenarioTimeout = 8 * time.Minute

// itProves registers a spec for each scenario of a task.
func itProves(task string) {
	for _, scenario := range catalogue.Of(task) {
		It(scenario.Title, Label(scenario.Labels...), SpecTimeout(scenarioTimeout), GracePeriod(scene.ScenarioGrace), func(ctx SpecContext) {
			if !suites.Selected(scenario) {
				Skip("not selected")
			}
			if err := suites.Play(ctx, scenario); err != nil {
				Fail(err.Error())
			}
		})
	}
}
