package scene

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// logSource is the Arrival.Source of what was counted in a pod's log.
const logSource = "log"

// longestLine bounds a line of a pod's log; the demo's are a tenth of it.
const longestLine = 64 << 10

// logs reads the third oracle, which is all that the demo's stock images offer:
// the lines in which the pods of an app, given as namespace/app, name the token
// of a request of the stage. The log knows no attempt, peer or way.
func (s *Scene) logs(ctx context.Context, index int, app string) error {
	pods, err := s.witnesses(ctx, index, app)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		if err := s.log(ctx, index, &pod); err != nil {
			s.missing(index, fmt.Errorf("log of pod %s/%s: %w", pod.Namespace, pod.Name, err))
		}
	}
	return ctx.Err()
}

func (s *Scene) log(ctx context.Context, index int, pod *corev1.Pod) (err error) {
	stage := &s.run.Stages[index]
	stream, err := s.cluster.Logs(ctx, kube.LogQuery{
		Pod:   kube.Ref{Namespace: pod.Namespace, Name: pod.Name},
		Since: stage.Base.Add(-time.Second), // the server counts in whole seconds, by a clock of its own
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	return tokens(stream, stage.Load.IDPrefix, func(version string, seq int, at time.Time) error {
		return s.arrived(&record.Arrival{
			Stage: index, Seq: seq, Service: pod.Labels["app"], Version: version, Pod: pod.Name, At: at, Source: logSource,
		})
	})
}

// handled matches the one line that the demo's cars writes for a request: of a
// city that it knows, or of one that it does not. Before it stand the API
// server's time stamp and the log's own head.
var handled = regexp.MustCompile(`^(\S+) .*\[[a-z-]+/([^\]\s]+)\] (?:GetCars for city|NotFound: City) ([0-9A-Za-z]+)(?:\s|$)`)

// tokens finds the lines that name a token under an id prefix.
func tokens(log io.Reader, prefix string, found func(version string, seq int, at time.Time) error) error {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		parts := handled.FindStringSubmatch(lines.Text())
		if parts == nil {
			continue
		}
		seq, ours := record.TokenSeq(prefix, parts[3])
		if !ours {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, parts[1])
		if err != nil {
			return fmt.Errorf("read the time of a log line: %w", err)
		}
		if err := found(parts[2], seq, at.UTC()); err != nil {
			return err
		}
	}
	return lines.Err()
}
