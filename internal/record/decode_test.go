package record

import (
	"context"
	"encoding/json"
	"io"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// agree holds the fast reading of a line against encoding/json.
func agree(t *testing.T, text []byte) {
	t.Helper()
	d := newDecoder()
	fast, fastErr := d.decode(text)
	slow, slowErr := decodeSlowly(text)
	require.Equal(t, slowErr == nil, fastErr == nil, "%s: %v, %v", text, fastErr, slowErr)
	require.True(t, reflect.DeepEqual(slow, fast), "%s\nfast %+v\nslow %+v", text, fast, slow)
}

var lineSeeds = []string{
	`{"o":{"s":1,"n":2,"k":3,"i":4,"b":5,"f":6,"d":7,"h":200,"e":"ok","r":true,"vs":"cars","hd":{"a":"b"},"bd":"x\ny","l":"é"}}`,
	`{"o":{"s":-1,"n":0,"r":false,"k":00}}`,
	`{"o":{}}`, `{"o":null}`, `{"o":{"s":1}`, `{"o":{"s":1}} `, `{"o":{"s":1.0}}`, `{"o":{"s":1e3}}`, `{"o":{"S":4}}`,
	`{"o":{"s":null,"e":null}}`, `{"o":{"s":999999999999999999999}}`, `{"o":{"vs":"` + "\xff" + `"}}`, `{"o":{"hd":null}}`, `{"o":{"hd":{}}}`,
	`{"o":{"s":1,"s":2}}`, `{"o":{"hd":{"a":"1"},"hd":{"b":"2"}}}`, `{"o":{"vs":"\ud800"}}`, `{"o":{"unknown":1}}`, `{"o":{"n": 1}}`,
	`{"a":{"s":1,"n":2,"vs":"c","vp":"p","at":"2026-11-23T12:00:00.5Z","a":1,"o":"log","tp":"00-1-2-01"}}`,
	`{"a":{"at":"2026-11-23T12:00:00,5Z"}}`, `{"a":{"at":""}}`, `{"a":{"at":"2026-11-23T24:00:00+01:00"}}`,
	`{"p":{"s":1,"n":-1,"ti":"a","si":"b","na":"c","st":"2026-11-23T12:00:00Z","en":"2026-11-23T12:00:00Z"}}`,
	`{"m":{"s":0,"at":"2026-11-23T12:00:00Z","se":"x","v":1.5}}`, `{"mark":{"stage":1,"o":2}}`, `{"schema":1}`, `{"end":true}`,
	``, `{`, `null`, `[]`, `{"q":1}`, `{"o":{"r":tru}}`, `{"o":{"n":-}}`, `{"o":{"vs":"a` + "\x01" + `"}}`,
}

func FuzzDecode(f *testing.F) {
	for _, seed := range lineSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(agree)
}

// TestTheFastPathIsTaken: what the encoder writes is read without falling back.
func TestTheFastPathIsTaken(t *testing.T) {
	o := anObservation(1, 7)
	o.Body, o.Location, o.Header, o.Replays = "a\"b", "http://x/é", map[string]string{"k": "v"}, 1
	text, err := json.Marshal(&o)
	require.NoError(t, err)
	d := newDecoder()
	assert.True(t, d.readObservation(append(text, '}')))
	assert.Equal(t, o, d.observation)
	a := Arrival{Stage: 1, Seq: 2, Service: "s", Version: "v", Pod: "p", Peer: "q", At: time.Now().UTC().Round(0), Attempt: 3, Path: "/", Host: "h", Traceparent: "t", Source: "log"}
	text, err = json.Marshal(&a)
	require.NoError(t, err)
	assert.True(t, d.readArrival(append(text, '}')))
	assert.Equal(t, a, d.arrival)
}

// million writes a run of a million observations once.
func million(b *testing.B) *Reader {
	b.Helper()
	w, err := Create(b.TempDir())
	require.NoError(b, err)
	for seq := range 1_000_000 {
		o := anObservation(0, seq)
		require.NoError(b, w.Observation(&o))
	}
	require.NoError(b, w.WriteRun(head(1)))
	require.NoError(b, w.Close())
	r, err := Open(w.Dir())
	require.NoError(b, err)
	return r
}

// BenchmarkWalkMillion reads a million observations; heap-MB is what the walk
// holds at its end, which does not grow with the record.
func BenchmarkWalkMillion(b *testing.B) {
	r := million(b)
	n := 0
	for b.Loop() {
		require.NoError(b, r.Walk(context.Background(), Handlers{OnObservation: func(*Observation) error { n++; return nil }}))
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapSys)/(1<<20), "heap-MB")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mobs/s")
}

func BenchmarkWriteObservation(b *testing.B) {
	stream, err := newEncoder(io.Discard)
	require.NoError(b, err)
	o := anObservation(0, 7)
	for b.Loop() {
		require.NoError(b, stream.item(kindObservation, 0, &o))
	}
}
