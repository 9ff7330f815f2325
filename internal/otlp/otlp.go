// Package otlp sends the phases of a run as one trace to an OpenTelemetry
// collector, so that they lie beside the traces of the mesh under test: the
// run, its windows, and the stages of load.
//
// It is told where to by the caller and does nothing by itself. The trace's id
// follows from the run's, so that sending it twice adds nothing new.
package otlp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/wayproof/wayproof/internal/record"
)

// sendWithin bounds an export: a collector that is away must not hold up a run.
const sendWithin = 10 * time.Second

// Send exports the phases of a run over gRPC to an endpoint as
// OTEL_EXPORTER_OTLP_ENDPOINT gives it: http://host:4317, https for TLS.
func Send(ctx context.Context, endpoint string, run *record.Run) (err error) {
	target, security, err := dialTo(endpoint)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(security))
	if err != nil {
		return fmt.Errorf("export spans to %s: %w", endpoint, err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	answer, err := collector.NewTraceServiceClient(connection).Export(ctx, &collector.ExportTraceServiceRequest{
		ResourceSpans: []*trace.ResourceSpans{resourceSpans(run)},
	})
	if err != nil {
		return fmt.Errorf("export spans to %s: %w", endpoint, err)
	}
	if refused := answer.GetPartialSuccess().GetRejectedSpans(); refused > 0 {
		return fmt.Errorf("export spans to %s: %d were rejected: %s", endpoint, refused, answer.GetPartialSuccess().GetErrorMessage())
	}
	return nil
}

func dialTo(endpoint string) (string, credentials.TransportCredentials, error) {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return "", nil, fmt.Errorf("export spans: endpoint %q is not like http://host:4317", endpoint)
	}
	switch parsed.Scheme {
	case "http":
		return parsed.Host, insecure.NewCredentials(), nil
	case "https":
		return parsed.Host, credentials.NewTLS(nil), nil
	}
	return "", nil, fmt.Errorf("export spans: endpoint %q has neither http nor https", endpoint)
}

func resourceSpans(run *record.Run) *trace.ResourceSpans {
	e := run.Environment
	return &trace.ResourceSpans{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			text("service.name", "wayproof"), text("wayproof.run", run.ID), text("wayproof.environment", e.Name),
			text("wayproof.istio", e.Istio), text("wayproof.kubernetes", e.Kubernetes), text("wayproof.node_proxy", e.NodeProxy),
		}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "wayproof"}, Spans: Spans(run)}},
	}
}

// Spans are the run, then its windows, then its stages. A stage is a child of
// the window of its spec that it belongs to, or of the run.
func Spans(run *record.Run) []*trace.Span {
	whole := span(run, "run", run.Started, run.Ended)
	whole.Name, whole.ParentSpanId = "run "+run.ID, nil
	spans := []*trace.Span{whole}
	parents := map[[2]string][]byte{}
	for i, w := range run.Windows {
		s := span(run, fmt.Sprintf("window %d", i), w.Start, w.End)
		s.Name = w.Spec + " " + w.Name
		if w.Fault != "" {
			s.Attributes = append(s.Attributes, text("wayproof.fault", w.Fault))
		}
		parents[[2]string{w.Spec, w.Name}] = s.SpanId
		spans = append(spans, s)
	}
	for i := range run.Stages {
		spans = append(spans, stageSpan(run, i, parents))
	}
	return spans
}

func stageSpan(run *record.Run, i int, parents map[[2]string][]byte) *trace.Span {
	stage := &run.Stages[i]
	s := span(run, fmt.Sprintf("stage %d", i), stage.Base, stage.Ended)
	s.Name = "load " + stage.Name
	if parent, found := parents[[2]string{stage.Spec, stage.Window}]; found {
		s.ParentSpanId = parent
	}
	s.Attributes = append(s.Attributes, number("wayproof.planned", stage.Health.Planned), number("wayproof.sent", stage.Health.Sent))
	if stage.Health.Error != "" {
		s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: stage.Health.Error}
	}
	return s
}

// span is a child of the run. One that never ended has no length.
func span(run *record.Run, what string, start, end time.Time) *trace.Span {
	if end.Before(start) {
		end = start
	}
	return &trace.Span{
		TraceId: digest(run.ID)[:16], SpanId: digest(run.ID + "/" + what)[:8], ParentSpanId: digest(run.ID + "/run")[:8],
		Kind:              trace.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: nanoseconds(start), EndTimeUnixNano: nanoseconds(end),
	}
}

func nanoseconds(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }

func digest(of string) []byte {
	sum := sha256.Sum256([]byte(of))
	return sum[:]
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(value)}}}
}
