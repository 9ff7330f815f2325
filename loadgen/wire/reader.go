package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wayproof/wayproof/internal/record"
)

// Message is one line of a worker: a Begin, an observation, the health record,
// or a refusal. Exactly one field is set.
type Message struct {
	Begin       *Begin
	Observation *record.Observation
	Health      *record.Health
	Refused     string
}

// ErrGarbled marks a line that is not of the protocol.
var ErrGarbled = errors.New("not a line of a load worker")

// Reader is the driver's end.
type Reader struct{ in *bufio.Reader }

// NewReader reads lines from a stream.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 64<<10)} }

// Next reads one line. io.EOF is the end of the stream after a whole line,
// io.ErrUnexpectedEOF its end within one.
func (r *Reader) Next() (Message, error) {
	line, err := readLine(r.in)
	switch {
	case errors.Is(err, io.EOF) && len(line) > 0:
		return Message{}, io.ErrUnexpectedEOF
	case err != nil:
		return Message{}, err
	default:
		return Parse(line)
	}
}

// Parse reads one line of a worker, without its newline.
func Parse(line []byte) (Message, error) {
	if bytes.HasPrefix(line, []byte(`{"wayproof":`)) {
		return parseControl(line)
	}
	var o record.Observation
	if err := json.Unmarshal(line, &o); err != nil {
		return Message{}, fmt.Errorf("%w: %q: %w", ErrGarbled, clip(line), err)
	}
	if o.Class == "" {
		return Message{}, fmt.Errorf("%w: %q has no class", ErrGarbled, clip(line))
	}
	return Message{Observation: &o}, nil
}

func parseControl(line []byte) (Message, error) {
	var c control
	if err := json.Unmarshal(line, &c); err != nil {
		return Message{}, fmt.Errorf("%w: %q: %w", ErrGarbled, clip(line), err)
	}
	switch {
	case c.Says == saysBegin && c.Begin != nil:
		return Message{Begin: c.Begin}, nil
	case c.Says == saysHealth && c.Health != nil:
		return Message{Health: c.Health}, nil
	case c.Says == saysRefused && c.Error != "":
		return Message{Refused: c.Error}, nil
	default:
		return Message{}, fmt.Errorf("%w: %q", ErrGarbled, clip(line))
	}
}

// clip shortens a line for an error message.
func clip(line []byte) []byte { return line[:min(len(line), 200)] }
