package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// meta collects what the environment says about the proxy for the control
// plane: ISTIO_META_<key> as text, ISTIO_METAJSON_<key> as JSON.
func meta(environ []string) (map[string]any, error) {
	out := map[string]any{}
	for _, variable := range environ {
		key, value, _ := strings.Cut(variable, "=")
		if name, ok := strings.CutPrefix(key, "ISTIO_META_"); ok {
			out[name] = value
		}
		if name, ok := strings.CutPrefix(key, "ISTIO_METAJSON_"); ok {
			var parsed any
			if err := json.Unmarshal([]byte(value), &parsed); err != nil {
				return nil, fmt.Errorf("parse %s: %w", key, err)
			}
			out[name] = parsed
		}
	}
	return out, nil
}

// XDSNode introduces the proxy to the control plane. NAMESPACE must be that of
// the token's service account, or every request is denied.
func (s Self) XDSNode() (*core.Node, error) {
	metadata := map[string]any{}
	maps.Copy(metadata, s.Metadata)
	metadata["NAME"] = s.Pod
	metadata["NAMESPACE"] = s.Namespace
	metadata["INSTANCE_IPS"] = s.IP.String()
	metadata["NODE_NAME"] = s.Node
	metadata["CLUSTER_ID"] = s.ClusterID
	if s.ServiceAccount != "" {
		metadata["SERVICE_ACCOUNT"] = s.ServiceAccount
	}
	fields, err := structpb.NewStruct(metadata)
	if err != nil {
		return nil, fmt.Errorf("node metadata: %w", err)
	}
	id := fmt.Sprintf("ztunnel~%s~%s.%s~%s.svc.cluster.local", s.IP, s.Pod, s.Namespace, s.Namespace)
	return &core.Node{Id: id, Metadata: fields}, nil
}
