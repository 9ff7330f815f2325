package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/wayproof/wayproof/internal/kube"
)

// adminPort is where Envoy and ztunnel answer questions about themselves, to
// callers from the pod's own loopback address only.
const adminPort = 15000

// admin reads one page of a proxy's admin interface into a value, as istioctl
// does: by a port forward.
func (s *Scene) admin(ctx context.Context, pod kube.Ref, path string, into any) (err error) {
	port := kube.Port{Pod: pod, Number: adminPort}
	forward, err := s.cluster.Forward(ctx, port)
	if err != nil {
		return err
	}
	defer forward.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+forward.Address+path, nil)
	if err != nil {
		return fmt.Errorf("ask %s for %s: %w", port, path, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask %s for %s: %w", port, path, err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("ask %s for %s: %w", port, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s for %s: status %d", port, path, response.StatusCode)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read %s of %s: %w", path, port, err)
	}
	return nil
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
