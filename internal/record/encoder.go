package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// The stream is one JSON object per line: {"schema":1} first, then items under
// the key of their kind, marks that count what a stage holds so far, and
// {"end":true} last.
const (
	kindObservation = "o"
	kindArrival     = "a"
	kindSpan        = "p"
	kindSample      = "m"
)

// flushAfter is how many bytes of lines may be lost in a crash: a block of
// zstd is written at least that often.
const flushAfter = 64 << 10

var errEnded = errors.New("record has already ended")

// tally counts the items of a stage by kind.
type tally struct {
	Stage        int `json:"stage"`
	Observations int `json:"o"`
	Arrivals     int `json:"a"`
	Spans        int `json:"p"`
	Samples      int `json:"m"`
}

func (t *tally) add(kind string) {
	switch kind {
	case kindObservation:
		t.Observations++
	case kindArrival:
		t.Arrivals++
	case kindSpan:
		t.Spans++
	case kindSample:
		t.Samples++
	}
}

// encoder writes the lines of a stream. After an error it stays in error.
type encoder struct {
	zip     *zstd.Encoder
	line    bytes.Buffer
	json    *json.Encoder
	pending int
	tallies map[int]*tally
	dirty   map[int]bool // stages with items after their last mark
	err     error
}

func newEncoder(w io.Writer) (*encoder, error) {
	zip, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	e := &encoder{zip: zip, tallies: map[int]*tally{}, dirty: map[int]bool{}}
	e.json = json.NewEncoder(&e.line)
	e.json.SetEscapeHTML(false) // bodies stay readable; nothing here is a page
	if err := e.keyed("schema", Schema); err != nil {
		return nil, err
	}
	return e, e.flush()
}

func (e *encoder) item(kind string, stage int, value any) error {
	if err := e.keyed(kind, value); err != nil {
		return err
	}
	if e.tallies[stage] == nil {
		e.tallies[stage] = &tally{Stage: stage}
	}
	e.tallies[stage].add(kind)
	e.dirty[stage] = true
	return nil
}

func (e *encoder) mark(stage int) error {
	t := e.tallies[stage]
	if t == nil {
		t = &tally{Stage: stage}
	}
	if err := e.keyed("mark", t); err != nil {
		return err
	}
	delete(e.dirty, stage)
	return nil
}

// keyed writes {"key":value} and a newline.
func (e *encoder) keyed(key string, value any) error {
	if e.err != nil {
		return e.err
	}
	e.line.Reset()
	e.line.WriteString(`{"` + key + `":`)
	if err := e.json.Encode(value); err != nil {
		return err // this item's fault: the stream is as it was
	}
	e.line.Truncate(e.line.Len() - 1) // the newline of Encode
	e.line.WriteString("}\n")
	return e.write()
}

func (e *encoder) write() error {
	if _, e.err = e.zip.Write(e.line.Bytes()); e.err != nil {
		return e.err
	}
	if e.pending += e.line.Len(); e.pending < flushAfter {
		return nil
	}
	return e.flush()
}

func (e *encoder) flush() error {
	if e.err == nil {
		e.pending = 0
		e.err = e.zip.Flush()
	}
	return e.err
}

func (e *encoder) end() error {
	for _, stage := range slices.Sorted(maps.Keys(e.dirty)) {
		if err := e.mark(stage); err != nil {
			return err
		}
	}
	if err := e.keyed("end", true); err != nil {
		return err
	}
	if e.err = e.zip.Close(); e.err != nil {
		return e.err
	}
	e.err = errEnded
	return nil
}
