// Command nodeproxy stands in for ztunnel where its image cannot be had: it is
// deployed by Istio's own ztunnel chart and speaks to istio-cni, istiod, pods
// and waypoints what ztunnel speaks. It is not ztunnel and says so: its version
// is "stand-in".
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/admin"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/config"
)

// version is what every report shows instead of a release of ztunnel.
const version = "stand-in"

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nodeproxy:", err)
		os.Exit(1)
	}
}

// command understands what the chart passes, and "version".
func command(args []string) error {
	switch {
	case len(args) > 0 && args[0] == "version":
		return printVersion()
	case slices.Equal(args, []string{"proxy", "ztunnel"}), len(args) == 0:
		return serve()
	}
	return fmt.Errorf("arguments %q, want \"proxy ztunnel\" or \"version\"", args)
}

func printVersion() error {
	v := self()
	_, err := fmt.Printf("node proxy: %s (%s, %s)\n", v.Version, v.Kind, v.Go)
	return err
}

func self() admin.Version {
	return admin.Version{Version: version, Kind: "node proxy in ztunnel's place", Go: runtime.Version()}
}

// serve runs until SIGTERM, and after that until connections have drained.
func serve() error {
	cfg, err := config.Read(os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	log, level, err := newLog(cfg)
	if err != nil {
		return err
	}
	ctx, stop := untilTold(context.Background())
	defer stop()
	p, err := assemble(cfg, log, level, stop)
	if err != nil {
		return err
	}
	log.Info("node proxy starts", "version", version, "node", cfg.Self.Node)
	err = p.run(ctx)
	if errors.Is(err, context.Canceled) {
		log.Info("node proxy has ended in good order")
		return nil
	}
	return err
}

// untilTold ends with the kubelet's signal, or with the returned function.
func untilTold(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
}

func newLog(cfg config.Config) (*slog.Logger, *slog.LevelVar, error) {
	parsed, err := admin.ParseLevel(cfg.LogLevel)
	if err != nil {
		return nil, nil, err
	}
	level := &slog.LevelVar{}
	level.Set(parsed)
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stdout, options)), level, nil
	}
	return slog.New(slog.NewTextHandler(os.Stdout, options)), level, nil
}
