package span_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
	"github.com/wayproof/wayproof/internal/record"
)

func TestSpansAreJoinedByTheRequestID(t *testing.T) {
	for id, want := range map[string]int{
		"t3-17": 17, "t3-0": 0, "t3-": -1, "t3--1": -1, "t3-017": -1, "t33-1": -1, "t3-1x": -1, "": -1,
	} {
		for _, name := range []string{"x-wayproof-id", "http.request.header.x-wayproof-id"} {
			s := span.Span{Attributes: map[string]string{name: id, "guid:x-request-id": "t3-5"}}
			assert.Equal(t, want, s.Seq("t3"), "%s=%q", name, id)
		}
	}
	assert.Equal(t, -1, span.Span{}.Seq("t3"))
}

func TestARecordedSpanKeepsWhatAClaimNeeds(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	s := span.Span{
		Number: 9, TraceID: "aa", SpanID: "bb", ParentID: "cc", Name: "cars:8000/*", Kind: "server", Service: "waypoint",
		Start: at, End: at.Add(time.Second), Attributes: map[string]string{"x-wayproof-id": "p-4"},
	}
	assert.Equal(t, record.Span{
		Stage: 2, Seq: 4, TraceID: "aa", SpanID: "bb", ParentID: "cc", Name: "cars:8000/*", Service: "waypoint",
		Start: at, End: at.Add(time.Second),
	}, s.Record(2, "p"))
}

func TestReadTellsWhereAStreamIsBroken(t *testing.T) {
	var got []string
	err := span.Read(strings.NewReader("{\"ti\":\"a\"}\n{\"ti\":\"b\"}\n{\"ti\""), func(s span.Span) error {
		got = append(got, s.TraceID)
		return nil
	})
	require.ErrorContains(t, err, "line 3")
	assert.Equal(t, []string{"a", "b"}, got)
	require.ErrorContains(t, span.Read(strings.NewReader("{}\n"), nil), "no trace id")

	enough := errors.New("enough")
	require.ErrorIs(t, span.Read(strings.NewReader("{\"ti\":\"a\"}\n"), func(span.Span) error { return enough }), enough)
}

func FuzzRead(f *testing.F) {
	f.Add("{\"q\":1,\"ti\":\"a\",\"si\":\"b\",\"na\":\"n\",\"st\":\"2026-11-23T10:00:00Z\",\"en\":\"2026-11-23T10:00:00Z\"}\n")
	f.Add("\n\n{")
	f.Fuzz(func(t *testing.T, text string) {
		_ = span.Read(strings.NewReader(text), func(s span.Span) error {
			assert.NotEmpty(t, s.TraceID)
			return nil
		})
	})
}
