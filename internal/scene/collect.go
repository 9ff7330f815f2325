package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/wayproof/wayproof/fixtures/travel/ledger"
	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// operationsPort is where the fixture's pods serve their ledgers; no Service
// leads there.
const operationsPort = 8001

// collect reads, after a quiet period, what the pods saw of the stage. What
// cannot be read is written down as missing, which makes claims that need it
// inconclusive; it does not end the run.
func (s *Scene) collect(ctx context.Context, index int, drive catalogue.Drive, marks marks) error {
	if err := pause(ctx, drive.Quiet); err != nil {
		return err
	}
	s.run.Stages[index].Collected = time.Now().UTC()
	for _, app := range drive.Collect {
		pods, err := s.witnesses(ctx, index, app)
		if err != nil {
			return err
		}
		for _, pod := range pods {
			if err := s.ledger(ctx, index, &pod, marks[pod.UID]); err != nil {
				s.missing(index, fmt.Errorf("ledger of pod %s/%s: %w", pod.Namespace, pod.Name, err))
			}
		}
	}
	for _, app := range drive.Logs {
		if err := s.logs(ctx, index, app); err != nil {
			return err
		}
	}
	if err := s.spans(ctx, index, drive); err != nil {
		return err
	}
	return s.lookAgain(ctx, index, drive)
}

// witnesses are the pods of an app, given as namespace/app, that can have seen
// requests of the stage: not those that were on their way out before it began,
// from an earlier scenario. They are no endpoints any more, every waypoint was
// told so before the stage, and they may not answer. Were one asked all the
// same, its answer would name it to the client.
func (s *Scene) witnesses(ctx context.Context, index int, app string) ([]corev1.Pod, error) {
	ref := refOf(app)
	pods, err := s.cluster.PodsBy(ctx, ref.Namespace, "app="+ref.Name)
	base := s.run.Stages[index].Base
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return leftBefore(&pod, base) }), err
}

// marks are how far the ledgers of pods had come when a stage began. What gave way
// before is no loss of the stage's: a ledger outlives stages and runs, and holds
// the newest only.
type marks map[types.UID]uint64

// mark reads them. A pod that does not answer, or comes later, is read from its
// beginning.
func (s *Scene) mark(ctx context.Context, index int, drive catalogue.Drive) (marks, error) {
	found := marks{}
	for _, app := range drive.Collect {
		pods, err := s.witnesses(ctx, index, app)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			content, err := s.cluster.ProxyGet(ctx, operations(&pod), "/ledger/stats")
			var stats ledger.Stats
			if err == nil && json.Unmarshal(content, &stats) == nil {
				found[pod.UID] = stats.Last
			}
		}
	}
	return found, ctx.Err()
}

// operations is the port where a pod serves its ledger.
func operations(pod *corev1.Pod) kube.Port {
	return kube.Port{Pod: kube.Ref{Namespace: pod.Namespace, Name: pod.Name}, Number: operationsPort}
}

// leftBefore says whether a pod's deletion was asked for before an instant. The
// API gives when its grace ends.
func leftBefore(pod *corev1.Pod, at time.Time) bool {
	if pod.DeletionTimestamp == nil {
		return false
	}
	grace := time.Duration(0)
	if pod.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
	}
	return pod.DeletionTimestamp.Add(-grace).Before(at)
}

// pause lets a quiet period pass: its length is part of the claim that what
// has not arrived by then is lost.
func pause(ctx context.Context, quiet time.Duration) error {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (s *Scene) missing(index int, err error) {
	s.run.Stages[index].Missing = append(s.run.Stages[index].Missing, err.Error())
}

// ledger reads the arrivals of one pod after since that belong to the stage.
func (s *Scene) ledger(ctx context.Context, index int, pod *corev1.Pod, since uint64) error {
	prefix := s.run.Stages[index].Load.IDPrefix + "-"
	content, err := s.cluster.ProxyGet(ctx, operations(pod), fmt.Sprintf("/ledger?prefix=%s&since=%d", url.QueryEscape(prefix), since))
	if err != nil {
		return err
	}
	end, err := ledger.Read(bytes.NewReader(content), func(a ledger.Arrival) error {
		seq, err := strconv.Atoi(strings.TrimPrefix(a.ID, prefix))
		if err != nil {
			return fmt.Errorf("foreign id %q", a.ID)
		}
		return s.arrived(&record.Arrival{
			Stage: index, Seq: seq, Service: pod.Labels["app"], Version: pod.Labels["version"], Pod: pod.Name, Peer: a.Peer,
			At: a.Time, Attempt: a.Attempt, Path: a.Path, Host: a.Host, Traceparent: a.TraceParent,
		})
	})
	if err == nil && end.Missed > 0 {
		err = fmt.Errorf("%d arrivals were lost from the ledger's ring", end.Missed)
	}
	return err
}

func (s *Scene) arrived(a *record.Arrival) error {
	return errors.Join(s.writer.Arrival(a), s.current.Arrival(a))
}
