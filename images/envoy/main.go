// Command envoy stands in for Envoy under Istio's pilot-agent, so that an upstream release build of
// Envoy can run there. It is installed as /usr/local/bin/envoy; the release build lies beside it. It
// adapts the bootstrap, relays and rewrites discovery, fails the pod's readiness while Envoy rejects
// configuration, and otherwise is invisible. It does not replace Istio's own filters: telemetry such as
// istio_requests_total is not produced.
//
// Beside the bootstrap file it writes envoy-adapted.json and opens the unix sockets XDS-adapter (Envoy's
// discovery) and READY-adapter (what Envoy's status listener forwards to); it opens no port. Environment:
//
//	WAYPROOF_ENVOY   path of the release build, default /usr/local/bin/envoy-upstream
//	WAYPROOF_RECORD  directory to record discovery responses into before they are changed, default none
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/wayproof/wayproof/images/envoy/internal/supervise"
)

// defaultEnvoy is where the image holds the upstream release build.
const defaultEnvoy = "/usr/local/bin/envoy-upstream"

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With(slog.String("scope", "envoy-adapter"))
	code, err := run(log, os.Args[1:])
	if err != nil {
		log.Error("adapter failed", slog.Any("error", err))
		code = 1
	}
	os.Exit(code)
}

// run is the whole life of the process; the result is its exit code.
func run(log *slog.Logger, args []string) (int, error) {
	child := supervise.Child{Path: envOr("WAYPROOF_ENVOY", defaultEnvoy), Args: args}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	at := bootstrapArgument(args)
	if at < 0 {
		// Such as --version: nothing to adapt.
		return child.Run(ctx, signals)
	}
	adapter, err := newAdapter(log, args[at])
	if err != nil {
		return 0, err
	}
	defer adapter.close()
	adapter.serve(cancel)
	child.Args = replaced(args, at, adapter.bootstrap)
	code, err := child.Run(ctx, signals)
	if cause := context.Cause(ctx); cause != nil {
		return 0, cause
	}
	return code, err
}

// bootstrapArgument finds the bootstrap file among Envoy's arguments, -1 if there is none.
func bootstrapArgument(args []string) int {
	for i := 1; i < len(args); i++ {
		if args[i-1] == "-c" || args[i-1] == "--config-path" {
			return i
		}
	}
	return -1
}

func replaced(args []string, at int, value string) []string {
	changed := append([]string(nil), args...)
	changed[at] = value
	return changed
}

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
