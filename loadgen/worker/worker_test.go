package worker_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
	"github.com/wayproof/wayproof/loadgen/worker"
)

// role names, in the environment, what this test binary is when it is run as a
// worker process.
const role = "WAYPROOF_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "worker":
		if err := worker.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
	case "babbler":
		os.Stdout.WriteString("Welcome to the pod!\n")
		_, _ = io.Copy(io.Discard, os.Stdin) // lives on until it is killed
	}
}

// process runs this test binary as a child, which is a real worker with real pipes.
type process struct {
	role string
	mu   sync.Mutex
	cmd  *exec.Cmd
}

func (p *process) Exec(ctx context.Context, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // this binary
	cmd.Env = append(os.Environ(), role+"="+p.role)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// Cmd.Stdin would make Wait wait for the end of stdin.
	words, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd = cmd
	err = cmd.Start()
	p.mu.Unlock()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(words, stdin)
		_ = words.Close()
	}()
	return cmd.Wait()
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Kill()
}

func driver(p *process) worker.Driver {
	return worker.Driver{Exec: p, Command: []string{os.Args[0]}}
}

func server(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("x-wayproof-version", "v1")
	_, _ = w.Write([]byte("ok"))
}

func plan(url string, rate float64, hits int) loadgen.Plan {
	return loadgen.Plan{Load: record.Load{
		Rate: rate, Hits: hits, Clients: 2, Timeout: 2 * time.Second, Connections: loadgen.KeepAlive,
		IDPrefix: "w", Targets: []record.Target{{Method: http.MethodGet, URL: url}},
	}}
}

func all(record.Observation) bool { return true }

func TestAPlanIsDrivenToItsEnd(t *testing.T) {
	var last worker.Progress
	d := driver(&process{role: "worker"})
	d.Every = 20 * time.Millisecond
	reports := 0
	d.Progress = func(p worker.Progress) { last = p; reports++ }
	seen := map[int]record.Observation{}
	began := time.Now()
	outcome, err := d.Drive(t.Context(), plan(server(t, ok), 300, 100), func(o record.Observation) bool {
		seen[o.Seq] = o
		return true
	})
	require.NoError(t, err)
	require.Len(t, seen, 100)
	assert.Equal(t, "v1", seen[99].Version)
	assert.Equal(t, 100, outcome.Health.Completed)
	assert.Empty(t, outcome.Health.Error)
	assert.WithinRange(t, outcome.Base, began, time.Now())
	assert.Equal(t, 100, last.Done)
	assert.Equal(t, 100, last.Planned)
	assert.Zero(t, last.Failed+last.Status5)
	assert.Positive(t, last.P99)
	assert.Greater(t, reports, 2)
}

func TestObservationsArriveWhileTheAttackRuns(t *testing.T) {
	var first, end time.Time
	_, err := driver(&process{role: "worker"}).Drive(t.Context(), plan(server(t, ok), 100, 80), func(record.Observation) bool {
		if first.IsZero() {
			first = time.Now()
		}
		end = time.Now()
		return true
	})
	require.NoError(t, err)
	assert.Greater(t, end.Sub(first), 400*time.Millisecond)
}

func TestTheSinkStopsTheWorker(t *testing.T) {
	n := 0
	began := time.Now()
	outcome, err := driver(&process{role: "worker"}).Drive(t.Context(), plan(server(t, ok), 200, 10_000), func(record.Observation) bool {
		n++
		return n < 30
	})
	require.NoError(t, err)
	assert.True(t, outcome.Health.Stopped)
	assert.Equal(t, n, outcome.Health.Sent, "nothing that was sent is lost")
	assert.Empty(t, outcome.Health.Error)
	assert.Less(t, time.Since(began), 10*time.Second)
}

func TestAWorkerThatDiesIsKnownToHaveDied(t *testing.T) {
	p := &process{role: "worker"}
	_, err := driver(p).Drive(t.Context(), plan(server(t, ok), 100, 5000), func(o record.Observation) bool {
		if o.Seq == 20 {
			p.kill()
		}
		return true
	})
	var dead *worker.DeadError
	require.ErrorAs(t, err, &dead)
	assert.Equal(t, 5000, dead.Planned)
	assert.Less(t, dead.Done, 5000)
	assert.Positive(t, dead.Done)
	assert.ErrorContains(t, err, "died mid-run after "+strconv.Itoa(dead.Done)+" of 5000")
	assert.ErrorContains(t, err, "killed")
}

func TestAWorkerThatNeverStartsIsDead(t *testing.T) {
	d := worker.Driver{Exec: &process{}, Command: []string{"/no/such/agent"}}
	_, err := d.Drive(t.Context(), plan("http://127.0.0.1:1/", 100, 10), all)
	var dead *worker.DeadError
	require.ErrorAs(t, err, &dead)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestLastWordsAreReported(t *testing.T) {
	d := worker.Driver{Exec: &process{}, Command: []string{"/bin/sh", "-c", "seq 9 >&2; echo out of memory >&2; exit 137"}}
	_, err := d.Drive(t.Context(), plan("http://127.0.0.1:1/", 100, 10), all)
	var dead *worker.DeadError
	require.ErrorAs(t, err, &dead)
	assert.Equal(t, []string{"6", "7", "8", "9", "out of memory"}, dead.Stderr)
	assert.ErrorContains(t, err, "exit status 137; its last words: 6 | 7")
}

func TestAnythingElseOnTheStreamEndsTheDrive(t *testing.T) {
	began := time.Now()
	_, err := driver(&process{role: "babbler"}).Drive(t.Context(), plan("http://127.0.0.1:1/", 100, 10), all)
	require.ErrorContains(t, err, "Welcome to the pod!")
	assert.Less(t, time.Since(began), 10*time.Second)
}

func TestTheContextAbortsTheWorker(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	outcome, err := driver(&process{role: "worker"}).Drive(ctx, plan(server(t, ok), 100, 5000), func(record.Observation) bool {
		if n++; n == 10 {
			cancel()
		}
		return true
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Contains(t, outcome.Health.Error, "aborted by the driver", "the worker wound up in good order")
	assert.Less(t, outcome.Health.Sent, 5000)
}

func TestBadPlansNeverReachAWorker(t *testing.T) {
	p := plan("http://example.com/", 100, 10)
	_, err := worker.Driver{}.Drive(t.Context(), p, all)
	require.ErrorIs(t, err, loadgen.ErrPlan)
}

func TestRefusalsAreToldApartFromDeaths(t *testing.T) {
	d := worker.Driver{Exec: &process{}, Command: []string{"/bin/sh", "-c", `echo '{"wayproof":"refused","error":"unknown field \"retries\""}'; exit 2`}}
	_, err := d.Drive(t.Context(), plan("http://127.0.0.1:1/", 100, 10), all)
	var refused *worker.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Reason, "retries")
}
