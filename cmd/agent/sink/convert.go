package sink

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
)

// Bounds of what is kept of one span. Envoy sends some twenty attributes, most
// of them short.
const (
	maxAttributes = 48
	maxValue      = 512 // bytes
	maxName       = 512 // bytes, of a span's or an attribute's name
)

// convert makes our spans of one sender's.
func convert(resource *tracepb.ResourceSpans) []span.Span {
	service := serviceName(resource)
	var out []span.Span
	for _, scope := range resource.GetScopeSpans() {
		for _, s := range scope.GetSpans() {
			out = append(out, convertSpan(s, service))
		}
	}
	return out
}

func convertSpan(s *tracepb.Span, service string) span.Span {
	return span.Span{
		TraceID:    hex.EncodeToString(s.GetTraceId()),
		SpanID:     hex.EncodeToString(s.GetSpanId()),
		ParentID:   hex.EncodeToString(s.GetParentSpanId()),
		Name:       clip(s.GetName(), maxName),
		Kind:       kind(s.GetKind()),
		Service:    service,
		Start:      instant(s.GetStartTimeUnixNano()),
		End:        instant(s.GetEndTimeUnixNano()),
		Attributes: attributes(s.GetAttributes()),
	}
}

// kind is the last word of the enum's name, lower-case: SPAN_KIND_CLIENT is client.
func kind(k tracepb.Span_SpanKind) string {
	if k == tracepb.Span_SPAN_KIND_UNSPECIFIED {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(k.String(), "SPAN_KIND_"))
}

// instant reads nanoseconds of the Unix epoch, in UTC.
func instant(ns uint64) time.Time {
	return time.Unix(int64(ns/1e9), int64(ns%1e9)).UTC()
}

func serviceName(resource *tracepb.ResourceSpans) string {
	for _, a := range resource.GetResource().GetAttributes() {
		if a.GetKey() == "service.name" {
			return clip(a.GetValue().GetStringValue(), maxValue)
		}
	}
	return ""
}

// attributes keeps the scalar ones. The harness's own and Envoy's request id
// are looked for first, so that no number of others can displace them.
func attributes(list []*commonpb.KeyValue) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]string, min(len(list), maxAttributes))
	keepAttributes(out, list, wanted)
	keepAttributes(out, list, func(string) bool { return true })
	return out
}

// wanted are the attributes by which spans are joined to requests.
func wanted(name string) bool {
	return name == "x-wayproof-id" || name == "guid:x-request-id" || strings.HasPrefix(name, "http.request.header.")
}

func keepAttributes(out map[string]string, list []*commonpb.KeyValue, want func(string) bool) {
	for _, a := range list {
		value, ok := scalar(a.GetValue())
		if ok && want(a.GetKey()) && len(out) < maxAttributes {
			out[clip(a.GetKey(), maxName)] = clip(value, maxValue)
		}
	}
}

// scalar writes a value out. The semantic conventions make a recorded header a
// list, so a list of one string counts as that string.
func scalar(v *commonpb.AnyValue) (string, bool) {
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue, true
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(x.BoolValue), true
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(x.IntValue, 10), true
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(x.DoubleValue, 'g', -1, 64), true
	case *commonpb.AnyValue_ArrayValue:
		values := x.ArrayValue.GetValues()
		if len(values) == 1 {
			return scalar(values[0])
		}
	}
	return "", false
}

// clip bounds a string in bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
