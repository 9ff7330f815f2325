package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"k8s.io/client-go/rest"
)

// ProxyGet reads a path (with query) of a pod's HTTP port through the API
// server, so that no traffic of the mesh is added: the request comes from
// outside it.
func (c *Cluster) ProxyGet(ctx context.Context, port Port, path string) ([]byte, error) {
	return c.proxied(ctx, http.MethodGet, port, path)
}

// ProxyDelete sends a DELETE the same way.
func (c *Cluster) ProxyDelete(ctx context.Context, port Port, path string) ([]byte, error) {
	return c.proxied(ctx, http.MethodDelete, port, path)
}

// proxied makes the one request. It is not repeated by the client: a ledger
// that was read and cleared must not be read and cleared again.
func (c *Cluster) proxied(ctx context.Context, method string, port Port, path string) ([]byte, error) {
	where, err := url.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("path %q for %s: %w", path, port, err)
	}
	body, err := c.proxyRequest(method, port, where).MaxRetries(0).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s %s of %s through the api server: %w", method, path, port, err)
	}
	return body, nil
}

func (c *Cluster) proxyRequest(method string, port Port, where *url.URL) *rest.Request {
	request := c.set.CoreV1().RESTClient().Verb(method).
		Namespace(port.Pod.Namespace).Resource("pods").
		Name(port.Pod.Name + ":" + strconv.Itoa(port.Number)).SubResource("proxy").Suffix(where.Path)
	for name, values := range where.Query() {
		for _, value := range values {
			request = request.Param(name, value)
		}
	}
	return request
}
