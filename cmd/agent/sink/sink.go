// Package sink is the agent's subcommand for a trace collector: it takes spans
// by OTLP over gRPC, as Envoy sends them, keeps the newest in memory, and gives
// them out as lines of JSON.
//
// It stands where a mesh's collector would, so that what was sampled can be
// counted. It forwards nothing, samples nothing itself and keeps nothing on disk.
package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // some exporters compress

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
)

// maxBatch is the largest message that is taken from an exporter, in bytes.
const maxBatch = 16 << 20

// drain is how long an answer under way may take when the sink is told to end.
const drain = 3 * time.Second

// Command collects spans until it is told to end.
func Command() *cobra.Command {
	var otlp, api string
	var capacity int
	command := &cobra.Command{
		Use:   "sink",
		Short: "Collect traces sent by OTLP over gRPC and give them out as JSON lines",
		Long: "Collect traces sent by OTLP over gRPC. GET /spans?since=N gives the spans with a\n" +
			"number above N, one JSON object per line; DELETE /spans clears; GET /stats says how\n" +
			"many are held and how many were lost to the bound; GET /healthz answers 200.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context(), otlp, api, capacity)
		},
	}
	command.Flags().StringVar(&otlp, "otlp", ":4317", "address for OTLP over gRPC")
	command.Flags().StringVar(&api, "http", ":8001", "address for readers")
	command.Flags().IntVar(&capacity, "capacity", 300_000, "spans to keep at least")
	return command
}

func run(ctx context.Context, otlp, api string, capacity int) error {
	if capacity < 1 {
		return fmt.Errorf("set up trace sink: capacity is %d, must be at least 1", capacity)
	}
	var listen net.ListenConfig
	spans, err := listen.Listen(ctx, "tcp", otlp)
	if err != nil {
		return fmt.Errorf("listen for traces: %w", err)
	}
	readers, err := listen.Listen(ctx, "tcp", api)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for readers: %w", err), spans.Close())
	}
	return serve(ctx, spans, readers, capacity)
}

// serve runs both servers on their listeners until ctx ends or one fails.
func serve(ctx context.Context, spans, readers net.Listener, capacity int) error {
	kept, err := newStore(capacity)
	if err != nil {
		return err
	}
	collector := grpc.NewServer(grpc.MaxRecvMsgSize(maxBatch))
	collectorpb.RegisterTraceServiceServer(collector, &receiver{store: kept})
	reader := &http.Server{Handler: handler(kept), ReadHeaderTimeout: 5 * time.Second}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return collector.Serve(spans) })
	group.Go(func() error {
		if err := reader.Serve(readers); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve readers: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		collector.Stop()
		final, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		return reader.Shutdown(final)
	})
	return group.Wait()
}

// receiver is the OTLP trace service.
type receiver struct {
	collectorpb.UnimplementedTraceServiceServer
	store *store
}

// Export keeps what an exporter sends.
func (r *receiver) Export(_ context.Context, batch *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	var spans []span.Span
	for _, resource := range batch.GetResourceSpans() {
		spans = append(spans, convert(resource)...)
	}
	if err := r.store.add(spans); err != nil {
		return nil, err
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}
