package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// AdminPort is where Envoy and ztunnel answer questions about themselves, to
// callers from the pod's own loopback address only.
const AdminPort = 15000

// Ask reads one JSON page of a port that only answers its own pod, such as a
// proxy's admin interface, as istioctl does: by a port forward.
func (c *Cluster) Ask(ctx context.Context, port Port, path string, into any) (err error) {
	forward, err := c.Forward(ctx, port)
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
