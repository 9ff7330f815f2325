package kind

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kind/pkg/log"

	"github.com/wayproof/wayproof/internal/mesh"
)

// logger passes what kind has to say on as notes of progress.
type logger struct{ progress mesh.Progress }

var _ log.Logger = logger{}

func (l logger) Warn(message string)               { l.note(message) }
func (l logger) Warnf(format string, args ...any)  { l.note(fmt.Sprintf(format, args...)) }
func (l logger) Error(message string)              { l.note(message) }
func (l logger) Errorf(format string, args ...any) { l.note(fmt.Sprintf(format, args...)) }

// V shows kind's normal messages and nothing finer.
func (l logger) V(level log.Level) log.InfoLogger { return info{l, level == 0} }

func (l logger) note(message string) {
	message = strings.TrimSpace(strings.Map(printable, message))
	if message != "" {
		l.progress.Note("kind: %s", message)
	}
}

// printable drops the pictures from kind's messages.
func printable(r rune) rune {
	if r > 0x2000 {
		return -1
	}
	return r
}

type info struct {
	logger
	enabled bool
}

func (i info) Info(message string) {
	if i.enabled {
		i.note(message)
	}
}

func (i info) Infof(format string, args ...any) { i.Info(fmt.Sprintf(format, args...)) }
func (i info) Enabled() bool                    { return i.enabled }
