package scene

import (
	"context"
	"fmt"

	"github.com/wayproof/wayproof/internal/kube"
)

// admin reads one page of a proxy's admin interface into a value.
func (s *Scene) admin(ctx context.Context, pod kube.Ref, path string, into any) error {
	return s.cluster.Ask(ctx, kube.Port{Pod: pod, Number: kube.AdminPort}, path, into)
}

// nodeID is the name by which an Envoy is known to istiod; it begins with the
// kind of proxy that it is: waypoint~10.244.1.9~….
func (s *Scene) nodeID(ctx context.Context, pod kube.Ref) (string, error) {
	var info struct {
		Node struct {
			ID string `json:"id"`
		} `json:"node"`
	}
	if err := s.admin(ctx, pod, "/server_info", &info); err != nil {
		return "", err
	}
	if info.Node.ID == "" {
		return "", fmt.Errorf("the proxy of pod %s does not say what it is", pod)
	}
	return info.Node.ID, nil
}
