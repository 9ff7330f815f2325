package wire_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/wire"
)

// encoding/json is the oracle of the encoder that replaces it.
func TestObservationsAreEncodedAsJSONDoes(t *testing.T) {
	property := func(o record.Observation) bool {
		want, err := json.Marshal(o)
		return err == nil && string(want) == string(wire.AppendObservation(nil, &o))
	}
	require.NoError(t, quick.Check(property, &quick.Config{MaxCount: 2000}))
	assert.True(t, property(record.Observation{}))
}

func FuzzTextIsEncodedAsJSONDoes(f *testing.F) {
	for _, s := range []string{"", "cars", `a"b\c`, "<&>", "\x00\x1f\x7f", "Zürich", "\xff\xfe", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o := record.Observation{Class: record.ClassOK, Service: s, Body: s, Header: map[string]string{s: s, "a": s, "z": ""}}
		want, err := json.Marshal(o)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(wire.AppendObservation(nil, &o)))
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"s":0,"n":3,"k":1,"r":true,"i":5,"b":6,"d":9,"h":200,"e":"ok"}`))
	f.Add([]byte(`{"wayproof":"begin","begin":{"base":"2026-11-23T10:00:00Z"}}`))
	f.Add([]byte(`{"wayproof":"health","health":{"planned":3}}`))
	f.Add([]byte(`{"wayproof":"refused","error":"no"}`))
	f.Add([]byte(`{"wayproof":`))
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := wire.Parse(line)
		if err != nil {
			assert.ErrorIs(t, err, wire.ErrGarbled)
			return
		}
		set := 0
		for _, is := range []bool{m.Begin != nil, m.Observation != nil, m.Health != nil, m.Refused != ""} {
			if is {
				set++
			}
		}
		assert.Equal(t, 1, set)
		if m.Observation != nil {
			again, err := wire.Parse(wire.AppendObservation(nil, m.Observation))
			require.NoError(t, err)
			want, err := json.Marshal(m.Observation)
			require.NoError(t, err)
			got, err := json.Marshal(again.Observation)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		}
	})
}

func FuzzReadOrder(f *testing.F) {
	line, err := wire.Order{Hold: true}.Append(nil)
	require.NoError(f, err)
	f.Add(line)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"load":{"rate":1e999}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		order, err := wire.ReadOrder(bufio.NewReader(bytes.NewReader(text)))
		if err != nil {
			return
		}
		again, err := order.Append(nil)
		require.NoError(t, err)
		back, err := wire.ReadOrder(bufio.NewReader(bytes.NewReader(again)))
		require.NoError(t, err)
		assert.Equal(t, order, back)
	})
}

func TestAStreamIsReadAsItWasWritten(t *testing.T) {
	var stream bytes.Buffer
	w := wire.NewWriter(&stream)
	base := time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC)
	health := record.Health{Planned: 2, Sent: 2, Completed: 1, Error: "two\nlines"}
	require.NoError(t, w.Begin(wire.Begin{Base: base}))
	require.NoError(t, w.Observation(record.Observation{Seq: 1, Class: record.ClassEOF, Body: "line\nbreak"}))
	require.NoError(t, w.Health(health))

	r := wire.NewReader(&stream)
	m, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, base, m.Begin.Base)
	m, err = r.Next()
	require.NoError(t, err)
	assert.Equal(t, record.Observation{Seq: 1, Class: record.ClassEOF, Body: "line\nbreak"}, *m.Observation)
	m, err = r.Next()
	require.NoError(t, err)
	assert.Equal(t, health, *m.Health)
	_, err = r.Next()
	assert.Equal(t, io.EOF, err)
}

func TestATornLineIsNoLine(t *testing.T) {
	r := wire.NewReader(strings.NewReader(`{"s":0,"n":0,"k":1,"i":1,"b":1,"d":2,"e":"ok"}` + "\n" + `{"s":0,"n":1`))
	_, err := r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	assert.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestAnEndlessLineIsRefused(t *testing.T) {
	_, err := wire.NewReader(io.LimitReader(zeros{}, 1<<30)).Next()
	assert.ErrorContains(t, err, "longer than")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestOrdersOfANewerDriverAreRefused(t *testing.T) {
	for line, says := range map[string]string{
		"":                          "read order",
		"{}{}\n":                    "more than one",
		`{"load":{"retries":3}}`:    "unknown field",
		`{"load":{},"surprise":1}`:  "unknown field",
		`{"load":`:                  "decode order",
		`{"start":"yesterday"}`:     "decode order",
		`{"load":{"rate":"fast"}}`:  "decode order",
		"start the attack, please!": "decode order",
	} {
		_, err := wire.ReadOrder(bufio.NewReader(strings.NewReader(line)))
		assert.ErrorContains(t, err, says, line)
	}
}

func TestOrdersKeepThePlan(t *testing.T) {
	order := wire.Order{Hold: true, Plan: loadgen.Plan{
		Load:  record.Load{Rate: 99.5, Hits: 7, Clients: 2, Timeout: time.Second, IDPrefix: "x", Pacing: loadgen.Skip},
		Start: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Allow: []string{"10.0.0.1"},
	}}
	line, err := order.Append(nil)
	require.NoError(t, err)
	assert.Equal(t, 1, bytes.Count(line, []byte("\n")))
	in := bufio.NewReader(strings.NewReader(string(line) + "stop\n"))
	back, err := wire.ReadOrder(in)
	require.NoError(t, err)
	assert.Equal(t, order, back)
	word, err := wire.ReadWord(in)
	require.NoError(t, err)
	assert.Equal(t, wire.Stop, word)
	_, err = wire.ReadWord(in)
	assert.Equal(t, io.EOF, err)
}

func TestABrokenStreamIsRemembered(t *testing.T) {
	w := wire.NewWriter(broken{})
	require.NoError(t, w.Observation(record.Observation{Class: record.ClassOK}), "buffered")
	require.ErrorIs(t, w.Flush(), errBroken)
	require.ErrorIs(t, w.Observation(record.Observation{Class: record.ClassOK}), errBroken)
	require.ErrorIs(t, w.Health(record.Health{}), errBroken)
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func BenchmarkAppendObservation(b *testing.B) {
	o := record.Observation{
		Seq: 12345, Conn: 3, Reused: true, Intended: 123456789, Sent: 123556789, First: 125556789, Done: 125656789,
		Status: 200, Class: record.ClassOK, Service: "cars", Version: "v1", Pod: "cars-v1-5d8f9b7c6-abcde",
		Peer: "10.244.1.17:43210", Server: "istio-envoy", Bytes: 512,
	}
	var line []byte
	for b.Loop() {
		line = wire.AppendObservation(line[:0], &o)
	}
}
