package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wayproof/wayproof/loadgen"
)

// MaxLine bounds a line in either direction, in bytes: a kept body of
// loadgen.MaxKeptBody may grow sixfold by escaping.
const MaxLine = 1 << 20

// Words that a driver may send after its order.
const (
	Stop  = "stop"
	Abort = "abort"
)

// Order is a driver's first line.
type Order struct {
	loadgen.Plan
	// Hold says that the driver keeps stdin open for as long as it lives, so that
	// its end means the driver's death and aborts the attack. Without it the end
	// of stdin means nothing: `agent attack < order.json`.
	Hold bool `json:"hold,omitempty"`
}

// Append adds the order to a buffer as one line.
func (o Order) Append(line []byte) ([]byte, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode order: %w", err)
	}
	return append(append(line, text...), '\n'), nil
}

// ReadOrder reads a driver's first line. A field that this build does not know
// is an error: a worker older than its driver must not run half a plan.
func ReadOrder(r *bufio.Reader) (Order, error) {
	line, err := readLine(r)
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil // an order from a file may lack its newline
	}
	if err != nil {
		return Order{}, fmt.Errorf("read order: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	var order Order
	if err := decoder.Decode(&order); err != nil {
		return Order{}, fmt.Errorf("decode order: %w", err)
	}
	if decoder.More() {
		return Order{}, errors.New("decode order: more than one object in its line")
	}
	return order, nil
}

// ReadWord reads a driver's next line after the order; io.EOF is its end.
func ReadWord(r *bufio.Reader) (string, error) {
	line, err := readLine(r)
	return string(line), err
}

// errLong marks a line beyond MaxLine.
var errLong = fmt.Errorf("a line is longer than %d bytes", MaxLine)

// readLine reads up to a newline, without it. At the end of the stream it gives
// what is left together with io.EOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > MaxLine:
			return nil, errLong
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return bytes.TrimSpace(line), err
		default:
			return bytes.TrimSpace(line), nil
		}
	}
}
