package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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
	prefix := s.run.Stages[index].Load.IDPrefix
	ours, err := s.settledSpans(ctx, prefix)
	if err != nil {
		s.missing(index, fmt.Errorf("spans of the trace sink: %w", err))
		return ctx.Err()
	}
	for _, one := range ours {
		if err := s.spanned(one.Record(index, prefix)); err != nil {
			return err
		}
	}
	return nil
}

// What has not come within the quiet period may still be on its way where the
// machine is busy: the sink is read again until nothing has been added.
const (
	spansEvery = 1500 * time.Millisecond
	spansWait  = 30 * time.Second
)

// settledSpans are a stage's, once no more of them come.
func (s *Scene) settledSpans(ctx context.Context, prefix string) (ours []span.Span, err error) {
	before := -1
	wait := kube.Wait{What: "the spans of the load to be there", Within: spansWait, Every: spansEvery}
	err = kube.Await(ctx, wait, func(ctx context.Context) (bool, string, error) {
		received, err := s.received(ctx)
		if err != nil {
			return false, "", err
		}
		ours = begunBy(received, prefix)
		still := len(ours) == before
		before = len(ours)
		return still, fmt.Sprintf("%d so far", before), nil
	})
	return ours, err
}

// begunBy keeps the traces that a load's requests began.
func begunBy(received []span.Span, prefix string) []span.Span {
	begun := map[string]bool{}
	for _, one := range received {
		if one.Seq(prefix) >= 0 {
			begun[one.TraceID] = true
		}
	}
	return slices.DeleteFunc(received, func(one span.Span) bool { return !begun[one.TraceID] })
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
	stats, err := s.account(ctx, port)
	if err == nil && stats.Overflowed > 0 {
		err = fmt.Errorf("%d spans gave way to newer ones", stats.Overflowed)
	}
	return err
}

// account is what the sink says of itself.
func (s *Scene) account(ctx context.Context, port kube.Port) (stats span.Stats, err error) {
	text, err := s.cluster.ProxyGet(ctx, port, "/stats")
	if err != nil {
		return stats, err
	}
	if err := json.Unmarshal(text, &stats); err != nil {
		return stats, fmt.Errorf("read the trace sink's account of itself: %w", err)
	}
	return stats, nil
}
