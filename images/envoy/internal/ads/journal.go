package ads

import (
	"log/slog"
	"sync"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
	"github.com/wayproof/wayproof/images/envoy/internal/rewrite"
)

// Journal writes what happened to configuration into the log: each kind of change once in the life of
// the process, each rejection and each recovery every time.
type Journal struct {
	log  *slog.Logger
	seen sync.Map // of rewrite.Change
}

// NewJournal writes to log.
func NewJournal(log *slog.Logger) *Journal { return &Journal{log: log} }

func (j *Journal) changed(changes []rewrite.Change) {
	for _, change := range changes {
		if _, before := j.seen.LoadOrStore(change, true); !before {
			j.log.Info(change.What, slog.String("name", change.Name))
		}
	}
}

func (j *Journal) outcome(typeURL string, outcome acceptance.Outcome) {
	for _, rejection := range outcome.Rejected {
		j.log.Warn("envoy rejected configuration, readiness fails until it accepts a later version",
			slog.String("type", rejection.Type), slog.String("resource", rejection.Name), slog.String("reason", rejection.Reason))
	}
	if outcome.Settled {
		j.log.Info("no rejection of this type stands any more", slog.String("type", typeURL))
	}
}
