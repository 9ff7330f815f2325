package sink

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
)

// running starts a sink on loopback and gives its two addresses.
func running(t *testing.T, capacity int) (otlp, api string) {
	t.Helper()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the sink
		require.NoError(t, err)
		return l
	}
	spans, readers := listen(), listen()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, spans, readers, capacity) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(2 * drain):
			t.Error("the sink did not end")
		}
	})
	return spans.Addr().String(), "http://" + readers.Addr().String()
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: stringValue(value)}
}

func stringValue(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
}

// batch is what Envoy would export for one request.
func batch() *collectorpb.ExportTraceServiceRequest {
	return &collectorpb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", "waypoint.travel-agency")}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			TraceId: []byte{0xab, 1}, SpanId: []byte{0xcd}, ParentSpanId: []byte{0xef}, Name: "cars:8000/*",
			Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: 1_800_000_000_000_000_001, EndTimeUnixNano: 1_800_000_000_500_000_000,
			Attributes: []*commonpb.KeyValue{
				text("x-wayproof-id", "t3-7"), text("http.status_code", "200"),
				{Key: "n", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 5}}},
				{Key: "ok", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: true}}},
				{Key: "http.request.header.x", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{
					ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{stringValue("one")}},
				}}},
				{Key: "bytes", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BytesValue{BytesValue: []byte{1}}}},
			},
		}}}},
	}}}
}

func export(t *testing.T, address string, request *collectorpb.ExportTraceServiceRequest) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = collectorpb.NewTraceServiceClient(conn).Export(t.Context(), request)
	require.NoError(t, err)
}

func ask(t *testing.T, method, url string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func spansOf(t *testing.T, api, query string) []span.Span {
	t.Helper()
	var got []span.Span
	require.NoError(t, span.Read(ask(t, http.MethodGet, api+"/spans"+query).Body, func(s span.Span) error {
		got = append(got, s)
		return nil
	}))
	return got
}

func TestWhatIsExportedCanBeRead(t *testing.T) {
	otlp, api := running(t, 1000)
	assert.Equal(t, http.StatusOK, ask(t, http.MethodGet, api+"/healthz").StatusCode)
	export(t, otlp, batch())
	export(t, otlp, batch())

	got := spansOf(t, api, "?since=1")
	require.Len(t, got, 1)
	assert.Equal(t, span.Span{
		Number: 2, TraceID: "ab01", SpanID: "cd", ParentID: "ef", Name: "cars:8000/*", Kind: "server", Service: "waypoint.travel-agency",
		Start:      time.Unix(1_800_000_000, 1).UTC(),
		End:        time.Unix(1_800_000_000, 500_000_000).UTC(),
		Attributes: map[string]string{"x-wayproof-id": "t3-7", "http.status_code": "200", "n": "5", "ok": "true", "http.request.header.x": "one"},
	}, got[0])
	assert.Equal(t, 7, got[0].Seq("t3"))

	var stats span.Stats
	require.NoError(t, json.NewDecoder(ask(t, http.MethodGet, api+"/stats").Body).Decode(&stats))
	assert.Equal(t, span.Stats{Held: 2, Received: 2, Capacity: 1000}, stats)

	assert.Equal(t, http.StatusNoContent, ask(t, http.MethodDelete, api+"/spans").StatusCode)
	assert.Empty(t, spansOf(t, api, ""))
	assert.Equal(t, http.StatusBadRequest, ask(t, http.MethodGet, api+"/spans?since=-1").StatusCode)
}

func TestAttributesAreBoundedAndTheIDIsNeverLost(t *testing.T) {
	var list []*commonpb.KeyValue
	for i := range 500 {
		list = append(list, text(strings.Repeat("k", i+1), strings.Repeat("v", 10_000)))
	}
	got := attributes(append(list, text("x-wayproof-id", "t3-7")))
	assert.Len(t, got, maxAttributes)
	assert.Equal(t, "t3-7", got["x-wayproof-id"])
	for name, value := range got {
		assert.LessOrEqual(t, len(name), maxName)
		assert.LessOrEqual(t, len(value), maxValue)
	}
}

func TestClippingLeavesNoHalfCharacter(t *testing.T) {
	assert.Equal(t, "Z", clip("Zürich", 2))
	assert.Equal(t, "Zürich", clip("Zürich", 7))
}

func TestBadFlagsAreRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "127.0.0.1:0", 0), "capacity is 0")
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:none", "127.0.0.1:0", 1), "listen for traces")
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "127.0.0.1:none", 1), "listen for readers")
}
