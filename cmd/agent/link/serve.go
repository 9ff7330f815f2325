package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/wayproof/wayproof/fixtures/travel"
)

func serveCommand() *cobra.Command {
	var host string
	command := &cobra.Command{
		Use:   "serve",
		Short: fmt.Sprintf("Answer requests on port %d and return lines on port %d", HTTPPort, EchoPort),
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return serve(command.Context(), host) },
	}
	command.Flags().StringVar(&host, "host", "", "address to listen on (default: all)")
	return command
}

func serve(ctx context.Context, host string) error {
	var config net.ListenConfig
	web, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(HTTPPort)))
	if err != nil {
		return fmt.Errorf("listen for requests: %w", err)
	}
	echo, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(EchoPort)))
	if err != nil {
		_ = web.Close()
		return fmt.Errorf("listen for lines: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveRequests(ctx, web) })
	group.Go(func() error { return serveLines(ctx, echo) })
	return group.Wait()
}

// serveRequests names pod and peer in headers, as the demo's services do.
func serveRequests(ctx context.Context, listener net.Listener) error {
	pod, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("name of this pod: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a body cut short shows on the client's side
		w.Header().Set(travel.HeaderPod, pod)
		w.Header().Set(travel.HeaderPeer, r.RemoteAddr)
		_, _ = io.WriteString(w, "here\n")
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve requests: %w", err)
	}
	return nil
}

// serveLines returns every byte; connections end with their clients or the
// process.
func serveLines(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve lines: %w", err)
		}
		go func() {
			_, _ = io.Copy(conn, conn) // the client sees how it ends
			_ = conn.Close()
		}()
	}
}
