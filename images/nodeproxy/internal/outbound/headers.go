package outbound

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// headers describe the source to the peer. They are for telemetry: neither
// routing nor authorisation believes them.
func (p *Proxy) headers(t trip) (http.Header, error) {
	trace, err := traceparent()
	if err != nil {
		return nil, err
	}
	return http.Header{
		"Baggage":     {p.baggage(t)},
		"Forwarded":   {forwarded(t)},
		"Traceparent": {trace},
	}, nil
}

// baggage uses the keys of OpenTelemetry's resource conventions (W3C Baggage).
func (p *Proxy) baggage(t trip) string {
	spec := t.self.Spec
	cluster := spec.GetClusterId()
	if cluster == "" {
		cluster = p.ClusterID
	}
	pairs := []struct{ key, value string }{
		{"k8s.cluster.name", cluster},
		{"k8s.namespace.name", spec.GetNamespace()},
		{"k8s.pod.name", spec.GetWorkloadName()},
		{"service.name", spec.GetCanonicalName()},
		{"service.version", spec.GetCanonicalRevision()},
		{"cloud.region", spec.GetLocality().GetRegion()},
		{"cloud.availability_zone", spec.GetLocality().GetZone()},
	}
	var members []string
	for _, pair := range pairs {
		if pair.value != "" {
			members = append(members, pair.key+"="+url.PathEscape(pair.value))
		}
	}
	return strings.Join(members, ",")
}

// forwarded is RFC 7239: who called, and which service was meant.
func forwarded(t trip) string {
	value := fmt.Sprintf("for=%q", t.facts.Src.String())
	if host := t.facts.Service.Hostname; host != "" {
		value += ";host=" + host
	}
	return value
}

// traceparent begins a trace (W3C Trace Context, version 00, not sampled).
func traceparent() (string, error) {
	var id [24]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("make trace id: %w", err)
	}
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-00", nil
}
