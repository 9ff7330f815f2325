// Package readiness answers the readiness question of the pod. Envoy's status listener (15021) sends
// it to pilot-agent through the adapter; while a rejection stands the adapter answers itself. This is
// the one place on the way that is asked every time: pilot-agent remembers that Envoy was ready once
// and never asks Envoy's admin port again.
package readiness

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
)

// Path is the readiness path of pilot-agent's status server.
const Path = "/healthz/ready"

// Gate is a handler that answers Path with 503 and the reasons while standing returns any rejection.
// All else, and Path with nothing rejected, goes to pilot-agent at the address agent (host:port).
func Gate(agent string, standing func() []acceptance.Rejection) http.Handler {
	target := &url.URL{Scheme: "http", Host: agent}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rejections := standing(); r.URL.Path == Path && len(rejections) > 0 {
			http.Error(w, acceptance.Describe(rejections), http.StatusServiceUnavailable)
			return
		}
		pass.ServeHTTP(w, r)
	})
}
