package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
	"github.com/wayproof/wayproof/images/envoy/internal/ads"
	"github.com/wayproof/wayproof/images/envoy/internal/bootstrap"
	"github.com/wayproof/wayproof/images/envoy/internal/readiness"
	"github.com/wayproof/wayproof/images/envoy/internal/rewrite"
)

// adapter is the part that runs beside Envoy: two unix sockets in the directory of the bootstrap file,
// which pilot-agent has just written and which is therefore writable.
type adapter struct {
	log       *slog.Logger
	bootstrap string
	agent     *grpc.ClientConn
	discovery *grpc.Server
	readiness *http.Server
	listeners struct{ discovery, readiness net.Listener }
}

// newAdapter writes the adapted form of the bootstrap file at path and opens the sockets it names.
func newAdapter(log *slog.Logger, path string) (*adapter, error) {
	dir := filepath.Dir(path)
	sockets := bootstrap.Sockets{
		Discovery: filepath.Join(dir, "XDS-adapter"),
		Readiness: filepath.Join(dir, "READY-adapter"),
	}
	adapted, err := adaptFile(path, sockets)
	if err != nil {
		return nil, err
	}
	a := &adapter{log: log, bootstrap: filepath.Join(dir, "envoy-adapted.json")}
	if err := os.WriteFile(a.bootstrap, adapted.JSON, 0o600); err != nil {
		return nil, fmt.Errorf("write adapted bootstrap: %w", err)
	}
	for _, name := range adapted.Dropped {
		log.Info("dropped bootstrap extension", slog.String("name", name))
	}
	if err := a.prepare(adapted.Upstreams, os.Getenv("WAYPROOF_RECORD")); err != nil {
		return nil, err
	}
	if err := a.listen(sockets); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func adaptFile(path string, sockets bootstrap.Sockets) (bootstrap.Adapted, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return bootstrap.Adapted{}, fmt.Errorf("read bootstrap: %w", err)
	}
	adapted, err := bootstrap.Adapt(raw, sockets)
	if err != nil {
		return bootstrap.Adapted{}, fmt.Errorf("adapt bootstrap %s: %w", path, err)
	}
	return adapted, nil
}

// prepare makes the two servers. Responses are recorded into the directory recordings unless it is "".
func (a *adapter) prepare(upstreams bootstrap.Upstreams, recordings string) error {
	rewriter, err := rewrite.New()
	if err != nil {
		return fmt.Errorf("make rewriter: %w", err)
	}
	ledger := acceptance.NewLedger()
	server := &ads.Server{Rewriter: rewriter, Ledger: ledger, Journal: ads.NewJournal(a.log)}
	if recordings != "" {
		if server.Recorder, err = ads.NewRecorder(recordings); err != nil {
			return err
		}
	}
	socket, err := filepath.Abs(upstreams.Discovery)
	if err != nil {
		return fmt.Errorf("resolve discovery socket %s: %w", upstreams.Discovery, err)
	}
	if a.agent, err = ads.Dial(socket); err != nil {
		return err
	}
	server.Agent = discovery.NewAggregatedDiscoveryServiceClient(a.agent)
	a.discovery = ads.NewGRPC(server)
	a.readiness = &http.Server{
		Handler: readiness.Gate(upstreams.Agent, ledger.Standing), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	return nil
}

func (a *adapter) listen(sockets bootstrap.Sockets) (err error) {
	if a.listeners.discovery, err = listenUnix(sockets.Discovery); err != nil {
		return err
	}
	a.listeners.readiness, err = listenUnix(sockets.Readiness)
	return err
}

// listenUnix replaces a socket that a killed predecessor left in the pod's volume.
func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove stale socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open adapter socket: %w", err)
	}
	return listener, nil
}

// serve starts both servers. If one of them ends on its own, failed gets the reason.
func (a *adapter) serve(failed context.CancelCauseFunc) {
	go func() {
		if err := a.discovery.Serve(a.listeners.discovery); err != nil {
			failed(fmt.Errorf("serve discovery: %w", err))
		}
	}()
	go func() {
		if err := a.readiness.Serve(a.listeners.readiness); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("serve readiness: %w", err))
		}
	}()
}

func (a *adapter) close() {
	a.discovery.Stop()
	err := errors.Join(a.readiness.Close(), a.agent.Close())
	for _, listener := range []net.Listener{a.listeners.discovery, a.listeners.readiness} {
		if listener != nil {
			_ = listener.Close() // the servers have closed those that they had
		}
	}
	if err != nil {
		a.log.Warn("close adapter", slog.Any("error", err))
	}
}
