package gate

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// The order in which targets take turns is each run's own draw.
func TestLoadsAreComparedWithoutTheOrderOfTheirTargets(t *testing.T) {
	rome, madrid := record.Target{Name: "rome", Method: "GET", URL: "http://cars/Rome"}, record.Target{Name: "madrid", Method: "GET", URL: "http://cars/Madrid"}
	assert.Empty(t, loadsDiffer(record.Load{Targets: []record.Target{rome, madrid}}, record.Load{Targets: []record.Target{madrid, rome}}))
	other := madrid
	other.URL += "?a=1"
	assert.Contains(t, loadsDiffer(record.Load{Targets: []record.Target{rome, madrid}}, record.Load{Targets: []record.Target{other, rome}}), "madrid is GET http://cars/Madrid in the baseline")
}
