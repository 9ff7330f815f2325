package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wayproof/wayproof/cmd/agent/sink/span"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// sinkApp is the trace sink, which stands where the mesh's provider looks.
const sinkApp = "istio-system/otel-collector"

// sink finds the trace sink's pod.
func (s *Scene) sink(ctx context.Context) (kube.Port, error) {
	at := refOf(sinkApp)
	pods, err := s.cluster.PodsBy(ctx, at.Namespace, "app="+at.Name)
	if err != nil {
		return kube.Port{}, err
	}
	for _, pod := range pods {
		if kube.Ready(&pod) {
			return kube.Port{Pod: kube.Ref{Namespace: pod.Namespace, Name: pod.Name}, Number: operationsPort}, nil
		}
	}
	return kube.Port{}, fmt.Errorf("no ready trace sink %s (of %d pods)", sinkApp, len(pods))
}

// emptySink makes room for the spans of a stage.
func (s *Scene) emptySink(ctx context.Context, drive catalogue.Drive) error {
	if !drive.Spans {
		return nil
	}
	port, err := s.sink(ctx)
	if err != nil {
		return err
	}
	_, err = s.cluster.ProxyDelete(ctx, port, "/spans")
	return err
}

// spans reads what the sink received of a stage. The demo's portals are traced
// all the while too; only traces that one of the stage's requests began are
// kept, but these whole, whatever their spans are tagged with.
func (s *Scene) spans(ctx context.Context, index int, drive catalogue.Drive) error {
	if !drive.Spans {
		return nil
	}
	received, err := s.received(ctx)
	if err != nil {
		s.missing(index, fmt.Errorf("spans of the trace sink: %w", err))
		return ctx.Err()
	}
	prefix := s.run.Stages[index].Load.IDPrefix
	ours := map[string]bool{}
	for _, one := range received {
		if one.Seq(prefix) >= 0 {
			ours[one.TraceID] = true
		}
	}
	for _, one := range received {
		if !ours[one.TraceID] {
			continue
		}
		if err := s.spanned(one.Record(index, prefix)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scene) spanned(one record.Span) error {
	return errors.Join(s.writer.Span(&one), s.current.Span(&one))
}

// received reads the whole sink, and refuses an account that it had to shorten.
func (s *Scene) received(ctx context.Context) ([]span.Span, error) {
	port, err := s.sink(ctx)
	if err != nil {
		return nil, err
	}
	lines, err := s.cluster.ProxyGet(ctx, port, "/spans")
	if err != nil {
		return nil, err
	}
	var all []span.Span
	err = span.Read(bytes.NewReader(lines), func(one span.Span) error {
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, s.complete(ctx, port)
}

func (s *Scene) complete(ctx context.Context, port kube.Port) error {
	text, err := s.cluster.ProxyGet(ctx, port, "/stats")
	if err != nil {
		return err
	}
	var stats span.Stats
	if err := json.Unmarshal(text, &stats); err != nil {
		return fmt.Errorf("read the trace sink's account of itself: %w", err)
	}
	if stats.Overflowed > 0 {
		return fmt.Errorf("%d spans gave way to newer ones", stats.Overflowed)
	}
	return nil
}
