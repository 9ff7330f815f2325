package otlp_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/wayproof/wayproof/internal/otlp"
	"github.com/wayproof/wayproof/internal/synthetic"
)

// sink is a collector that keeps what it gets.
type sink struct {
	collector.UnimplementedTraceServiceServer
	got     chan *collector.ExportTraceServiceRequest
	refuses int64
}

func (s *sink) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.got <- r
	return &collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: s.refuses, ErrorMessage: "full"}}, nil
}

func serve(t *testing.T, refuses int64) (*sink, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, s := grpc.NewServer(), &sink{got: make(chan *collector.ExportTraceServiceRequest, 1), refuses: refuses}
	collector.RegisterTraceServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s, "http://" + listener.Addr().String()
}

func TestPhasesArriveAsOneTrace(t *testing.T) {
	run, err := synthetic.Draw(synthetic.Shape{Seed: 1, Hits: 10})
	require.NoError(t, err)
	run.Record.Stages[0].Health.Error = "lost"
	run.Record.Stages[1].Window = "fault"
	s, endpoint := serve(t, 0)
	require.NoError(t, otlp.Send(t.Context(), endpoint, &run.Record))
	spans := (<-s.got).GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()
	require.Len(t, spans, 4)
	ids := map[string]bool{}
	for _, span := range spans {
		ids[string(span.GetSpanId())] = true
		assert.Len(t, span.GetTraceId(), 16)
		assert.Equal(t, spans[0].GetTraceId(), span.GetTraceId())
		assert.LessOrEqual(t, span.GetStartTimeUnixNano(), span.GetEndTimeUnixNano())
	}
	assert.Len(t, ids, 4)
	assert.Empty(t, spans[0].GetParentSpanId())
	assert.Equal(t, spans[0].GetSpanId(), spans[2].GetParentSpanId(), "a stage without a window belongs to the run")
	assert.Equal(t, spans[1].GetSpanId(), spans[3].GetParentSpanId())
	assert.Equal(t, trace.Status_STATUS_CODE_ERROR, spans[2].GetStatus().GetCode())
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	run, err := synthetic.Draw(synthetic.Shape{Seed: 1, Hits: 10})
	require.NoError(t, err)
	_, endpoint := serve(t, 2)
	require.ErrorContains(t, otlp.Send(t.Context(), endpoint, &run.Record), "2 were rejected: full")
	for _, bad := range []string{"", "host:4317", "ftp://host:1", "http://", "http://127.0.0.1:1"} {
		require.Error(t, otlp.Send(t.Context(), bad, &run.Record), bad)
	}
}
