package worker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/wire"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// stream is a worker's stdout that can be read afterwards.
type stream struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// read gives the observations and the health record of a stream.
func (s *stream) read(t *testing.T) ([]record.Observation, *record.Health) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen []record.Observation
	var health *record.Health
	r := wire.NewReader(bytes.NewReader(s.text.Bytes()))
	for {
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return seen, health
		}
		require.NoError(t, err)
		require.Nil(t, health, "the health record is last")
		if m.Observation != nil {
			seen = append(seen, *m.Observation)
		}
		health = m.Health
	}
}

func orderLine(t *testing.T, plan loadgen.Plan, hold bool) string {
	t.Helper()
	line, err := wire.Order{Plan: plan, Hold: hold}.Append(nil)
	require.NoError(t, err)
	return string(line)
}

func TestTheEndOfInputMeansNothingUnlessItIsHeld(t *testing.T) {
	for _, line := range []string{
		orderLine(t, plan(server(t, ok), 200, 40), false),
		strings.TrimSpace(orderLine(t, plan(server(t, ok), 200, 40), false)),
	} {
		var out stream
		require.NoError(t, worker.Serve(t.Context(), strings.NewReader(line), &out))
		seen, health := out.read(t)
		assert.Len(t, seen, 40)
		assert.Equal(t, 40, health.Completed)
	}
}

func TestTheEndOfHeldInputIsTheDriversDeath(t *testing.T) {
	var out stream
	err := worker.Serve(t.Context(), strings.NewReader(orderLine(t, plan(server(t, ok), 100, 5000), true)), &out)
	require.ErrorIs(t, err, worker.ErrOrphaned)
	_, health := out.read(t)
	assert.Contains(t, health.Error, "the driver is gone")
	assert.Less(t, health.Sent, 5000)
}

func TestWordsStopAndAbort(t *testing.T) {
	for word, wants := range map[string]error{wire.Stop: nil, wire.Abort: worker.ErrAborted} {
		t.Run(word, func(t *testing.T) {
			in, say := io.Pipe()
			defer say.Close()
			line := orderLine(t, plan(server(t, ok), 100, 5000), true)
			go func() { _, _ = say.Write([]byte(line + "what\n" + word + "\n" + word + "\n")) }()
			var out stream
			require.ErrorIs(t, worker.Serve(t.Context(), in, &out), wants)
			_, health := out.read(t)
			assert.Equal(t, word == wire.Stop, health.Stopped)
			assert.Less(t, health.Sent, 5000)
		})
	}
}

func TestSIGTERMLeavesAHealthRecord(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var out stream
	err := worker.Serve(ctx, strings.NewReader(orderLine(t, plan(server(t, ok), 100, 5000), false)), &out)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	seen, health := out.read(t)
	require.NotNil(t, health)
	assert.Len(t, seen, health.Sent)
}

func TestNobodyReadingEndsTheAttack(t *testing.T) {
	out, in := io.Pipe()
	go func() {
		_, _ = out.Read(make([]byte, 10))
		_ = out.CloseWithError(io.ErrClosedPipe)
	}()
	err := worker.Serve(t.Context(), strings.NewReader(orderLine(t, plan(server(t, ok), 100, 5000), false)), in)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestOrdersThatCannotBeCarriedOutAreRefusedOnTheStream(t *testing.T) {
	for line, says := range map[string]string{
		"":                      "read order",
		"{}\n":                  "load plan refused",
		`{"load":{"x":1}}`:      "unknown field",
		"not json at all\n":     "decode order",
		`{"allow":["8.8.8.8"]}`: "not in a private range",
	} {
		var out stream
		require.ErrorIs(t, worker.Serve(t.Context(), strings.NewReader(line), &out), worker.ErrRefused)
		m, err := wire.NewReader(&out.text).Next()
		require.NoError(t, err)
		assert.Contains(t, m.Refused, says)
	}
}
