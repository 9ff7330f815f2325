// Package admin answers questions about the proxy: its view of the mesh, its
// readiness, its metrics. Except for the log level and the way out, asking
// changes nothing.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const headerTimeout = 10 * time.Second

// Admin is the local side: what istioctl reads through a port-forward.
type Admin struct {
	View View
	// Level is what POST /logging sets.
	Level *slog.LevelVar
	// Quit ends the process as SIGTERM does.
	Quit func()
}

// Handler serves /config_dump, /logging and /quitquitquit.
func (a *Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /config_dump", a.dump)
	mux.HandleFunc("POST /logging", a.logging)
	mux.HandleFunc("POST /quitquitquit", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		a.Quit()
	})
	return mux
}

func (a *Admin) dump(w http.ResponseWriter, _ *http.Request) {
	body, err := json.MarshalIndent(a.View.Dump(), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a reader who has gone needs no answer
}

func (a *Admin) logging(w http.ResponseWriter, r *http.Request) {
	level, err := ParseLevel(r.URL.Query().Get("level"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.Level.Set(level)
	_, _ = fmt.Fprintf(w, "current log level is %s\n", level)
}

// Readiness serves /healthz/ready: 200 while ready returns nil.
func Readiness(ready func() error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	return mux
}

// Stats serves the metrics under both names that scrapers use.
func Stats(gatherer prometheus.Gatherer) http.Handler {
	metrics := promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /stats/prometheus", metrics)
	return mux
}

// Serve answers on an address until the context ends.
func Serve(ctx context.Context, address string, handler http.Handler) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", address, err)
	}
	return ctx.Err()
}
