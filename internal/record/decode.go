package record

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// line is one decoded line of the stream. It is reused: the pointers of kinds
// that are not there are nil, the others point at the spare fields below.
type line struct {
	Observation *Observation `json:"o"`
	Arrival     *Arrival     `json:"a"`
	Span        *Span        `json:"p"`
	Sample      *Sample      `json:"m"`
	Mark        *tally       `json:"mark"`
	Schema      *int         `json:"schema"`
	End         *bool        `json:"end"`
}

// decoder turns lines into items, keeping one of each kind for reuse.
type decoder struct {
	names       names
	observation Observation
	arrival     Arrival
}

func newDecoder() *decoder { return &decoder{names: names{}} }

var (
	headObservation = []byte(`{"o":`) //nolint:gochecknoglobals // constants but for their type
	headArrival     = []byte(`{"a":`) //nolint:gochecknoglobals // constants but for their type
)

// decode reads one line without its newline.
func (d *decoder) decode(text []byte) (line, error) {
	switch {
	case bytes.HasPrefix(text, headObservation):
		if d.readObservation(text[len(headObservation):]) {
			return line{Observation: &d.observation}, nil
		}
	case bytes.HasPrefix(text, headArrival):
		if d.readArrival(text[len(headArrival):]) {
			return line{Arrival: &d.arrival}, nil
		}
	}
	return decodeSlowly(text)
}

// decodeSlowly is the reference: the same line by encoding/json.
func decodeSlowly(text []byte) (line, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return line{}, err
	}
	if l == (line{}) {
		return line{}, fmt.Errorf("line of no known kind")
	}
	return l, nil
}

func (d *decoder) readObservation(text []byte) bool {
	c := cursor{text: text, names: d.names}
	d.observation = Observation{}
	o := &d.observation
	return c.object(func(key []byte) bool {
		return c.observationTime(key, o)
	}) && string(text[c.at:]) == "}"
}

// observationTime and its two successors share the keys of an observation, the
// frequent ones first.
func (c *cursor) observationTime(key []byte, o *Observation) bool {
	switch string(key) {
	case "s":
		return c.int(&o.Stage)
	case "n":
		return c.int(&o.Seq)
	case "k":
		return c.int(&o.Conn)
	case "c":
		return c.int(&o.Client)
	case "t":
		return c.int(&o.Target)
	case "i":
		return c.duration(&o.Intended)
	case "b":
		return c.duration(&o.Sent)
	case "f":
		return c.duration(&o.First)
	case "d":
		return c.duration(&o.Done)
	default:
		return c.observationAnswer(key, o)
	}
}

func (c *cursor) observationAnswer(key []byte, o *Observation) bool {
	switch string(key) {
	case "h":
		return c.int(&o.Status)
	case "e":
		return c.string((*string)(&o.Class))
	case "r":
		return c.bool(&o.Reused)
	case "vs":
		return c.string(&o.Service)
	case "vv":
		return c.string(&o.Version)
	case "vp":
		return c.string(&o.Pod)
	case "vr":
		return c.string(&o.Peer)
	case "sv":
		return c.string(&o.Server)
	case "z":
		return c.int(&o.Bytes)
	default:
		return c.observationRest(key, o)
	}
}

func (c *cursor) observationRest(key []byte, o *Observation) bool {
	switch string(key) {
	case "x":
		return c.int(&o.Replays)
	case "l":
		return c.string(&o.Location)
	case "hd":
		return c.header(&o.Header)
	case "bd":
		return c.string(&o.Body)
	default:
		return false
	}
}

func (d *decoder) readArrival(text []byte) bool {
	c := cursor{text: text, names: d.names}
	d.arrival = Arrival{}
	a := &d.arrival
	return c.object(func(key []byte) bool {
		return c.arrivalField(key, a)
	}) && string(text[c.at:]) == "}"
}

func (c *cursor) arrivalField(key []byte, a *Arrival) bool {
	switch string(key) {
	case "s":
		return c.int(&a.Stage)
	case "n":
		return c.int(&a.Seq)
	case "a":
		return c.int(&a.Attempt)
	case "at":
		return c.time(&a.At)
	default:
		return c.arrivalName(key, a)
	}
}

func (c *cursor) arrivalName(key []byte, a *Arrival) bool {
	switch string(key) {
	case "vs":
		return c.string(&a.Service)
	case "vv":
		return c.string(&a.Version)
	case "vp":
		return c.string(&a.Pod)
	case "vr":
		return c.string(&a.Peer)
	case "p":
		return c.string(&a.Path)
	case "ho":
		return c.string(&a.Host)
	case "tp":
		return c.string(&a.Traceparent)
	case "o":
		return c.string(&a.Source)
	default:
		return false
	}
}
