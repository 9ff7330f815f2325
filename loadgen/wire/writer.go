package wire

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Begin is a worker's first line.
type Begin struct {
	// Base is the instant of intended offset zero, by the worker's clock.
	Base time.Time `json:"base"`
}

// control is every worker line that is no observation.
type control struct {
	Says   string         `json:"wayproof"` // begin | health | refused
	Begin  *Begin         `json:"begin,omitempty"`
	Health *record.Health `json:"health,omitempty"`
	Error  string         `json:"error,omitempty"`
}

// The values of control.Says.
const (
	saysBegin   = "begin"
	saysHealth  = "health"
	saysRefused = "refused"
)

// Writer is the worker's end. Lines are buffered; Flush sends them. It is safe
// for concurrent use, and once a write has failed every later call says so.
type Writer struct {
	mu  sync.Mutex
	out *bufio.Writer
	row []byte // the observation being encoded
}

// NewWriter writes lines to a stream.
func NewWriter(w io.Writer) *Writer { return &Writer{out: bufio.NewWriterSize(w, 64<<10)} }

// Observation writes one observation.
func (w *Writer) Observation(o record.Observation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.row = append(AppendObservation(w.row[:0], &o), '\n')
	if _, err := w.out.Write(w.row); err != nil {
		return fmt.Errorf("write observation %d: %w", o.Seq, err)
	}
	return nil
}

// Begin opens the stream.
func (w *Writer) Begin(b Begin) error { return w.say(control{Says: saysBegin, Begin: &b}) }

// Health ends the stream of an attack.
func (w *Writer) Health(h record.Health) error {
	return w.say(control{Says: saysHealth, Health: &h})
}

// Refused is the whole stream of an order that cannot be carried out.
func (w *Writer) Refused(reason error) error {
	return w.say(control{Says: saysRefused, Error: reason.Error()})
}

// say writes a control line and sends everything up to it.
func (w *Writer) say(c control) error {
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode %s line: %w", c.Says, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// A buffered writer keeps its first error, and Flush returns it.
	_, _ = w.out.Write(append(line, '\n'))
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write %s line: %w", c.Says, err)
	}
	return nil
}

// Flush sends what is buffered.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("flush observations: %w", err)
	}
	return nil
}
