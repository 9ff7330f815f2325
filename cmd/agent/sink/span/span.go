// Package span is the form in which the agent's trace sink gives out the spans
// that it received: one JSON object per line. It is all that a reader of the
// sink needs, without the sink's gRPC.
package span

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// idAttributes are the attributes in which a span may carry the id of the
// harness's request, in the order of preference: the custom tag that a
// Telemetry sets from the header x-wayproof-id, and the name that the semantic
// conventions of OpenTelemetry give a recorded request header.
var idAttributes = [...]string{"x-wayproof-id", "http.request.header.x-wayproof-id"} //nolint:gochecknoglobals // a constant but for its type

// Span is one span as received. Attributes are strings; numbers and booleans
// are written as such, lists and maps are left out.
type Span struct {
	Number     uint64            `json:"q"` // in order of arrival, from 1; never used twice
	TraceID    string            `json:"ti"`
	SpanID     string            `json:"si"`
	ParentID   string            `json:"pi,omitempty"`
	Name       string            `json:"na"`
	Kind       string            `json:"ki,omitempty"` // client | server | internal | producer | consumer
	Service    string            `json:"sn,omitempty"` // the resource's service.name
	Start      time.Time         `json:"st"`
	End        time.Time         `json:"en"`
	Attributes map[string]string `json:"at,omitempty"`
}

// RequestID is the id of the harness's request that the span belongs to, empty
// where it carries none.
func (s Span) RequestID() string {
	for _, name := range idAttributes {
		if id := s.Attributes[name]; id != "" {
			return id
		}
	}
	return ""
}

// Seq is the place in a load of the request that the span belongs to, -1 where
// its id is not of that load.
func (s Span) Seq(idPrefix string) int {
	digits, ok := strings.CutPrefix(s.RequestID(), idPrefix+"-")
	if !ok {
		return -1
	}
	seq, err := strconv.Atoi(digits)
	if err != nil || seq < 0 || strconv.Itoa(seq) != digits {
		return -1
	}
	return seq
}

// Record is the span as a run keeps it, joined to the load with this id prefix.
func (s Span) Record(stage int, idPrefix string) record.Span {
	return record.Span{
		Stage: stage, Seq: s.Seq(idPrefix), TraceID: s.TraceID, SpanID: s.SpanID, ParentID: s.ParentID,
		Name: s.Name, Service: s.Service, Start: s.Start, End: s.End,
	}
}

// Stats is how the sink's memory stands.
type Stats struct {
	Held     int    `json:"held"`     // spans that can be read now
	Received uint64 `json:"received"` // since the sink started
	// Overflowed counts spans that gave way to newer ones since the last clearing;
	// above zero, what is held is not everything.
	Overflowed uint64 `json:"overflowed"`
	Capacity   int    `json:"capacity"`
}

// maxLine bounds one span's line, in bytes.
const maxLine = 1 << 20

// Read calls each for every span of a stream, to its end or until each fails.
func Read(r io.Reader, each func(Span) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		var s Span
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return fmt.Errorf("decode span in line %d: %w", n, err)
		}
		if s.TraceID == "" {
			return fmt.Errorf("decode span in line %d: %w", n, errors.New("it has no trace id"))
		}
		if err := each(s); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read spans: %w", err)
	}
	return nil
}
