package zds_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/zdsapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

// ledger is a handler that writes down what it is told.
type ledger struct {
	mu     sync.Mutex
	events []string
	refuse error
	up     chan bool
}

func (l *ledger) note(words ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, strings.Join(words, " "))
}

func (l *ledger) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.events
	l.events = nil
	return out
}

func (l *ledger) Add(_ context.Context, p zds.Pod, f *os.File) error {
	content := make([]byte, 16)
	n, _ := f.ReadAt(content, 0)
	_ = f.Close()
	l.note("add", p.UID, p.Namespace+"/"+p.Name, p.ServiceAccount, string(content[:n]))
	return l.refuse
}

func (l *ledger) Delete(uid string) { l.note("delete", uid) }

func (l *ledger) Retain(keep map[string]bool) {
	words := []string{"retain"}
	for _, uid := range []string{"a", "b", "c"} {
		if keep[uid] {
			words = append(words, uid)
		}
	}
	l.note(words...)
}

func (l *ledger) Connected(up bool) { l.up <- up }

type stage struct {
	cni    *fakemesh.CNI
	ledger *ledger
	log    *lines
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{cni: fakemesh.NewCNI(t), ledger: &ledger{up: make(chan bool, 16)}, log: &lines{}}
	client := &zds.Client{Path: s.cni.Path, Handler: s.ledger, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	return s
}

// marked is a file whose content tells that it is this one which arrived.
func marked(t *testing.T, content string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "fd")
	require.NoError(t, err)
	_, err = f.WriteString(content)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestCourseOfASession(t *testing.T) {
	s := newStage(t)
	c := s.cni.Accept(t)
	assert.Empty(t, c.Add(t, "a", "cars", marked(t, "netns of a")))
	assert.Empty(t, c.Keep(t, "b"))
	assert.Empty(t, c.Snapshot(t))
	assert.True(t, <-s.ledger.up)
	assert.Empty(t, c.Add(t, "c", "hotels", marked(t, "netns of c")))
	assert.Empty(t, c.Delete(t, "a"))
	assert.Empty(t, c.Delete(t, "never seen"))
	assert.Equal(t, []string{
		"add a ns/cars cars netns of a", "retain a b",
		"add c ns/hotels hotels netns of c", "delete a", "delete never seen",
	}, s.ledger.taken())
}

func TestReconnectBringsTheWholeTruth(t *testing.T) {
	s := newStage(t)
	first := s.cni.Accept(t)
	first.Add(t, "a", "cars", marked(t, ""))
	first.Snapshot(t)
	assert.True(t, <-s.ledger.up)
	first.Close()
	assert.False(t, <-s.ledger.up)
	second := s.cni.Accept(t)
	second.Add(t, "b", "hotels", marked(t, ""))
	second.Delete(t, "b")
	second.Keep(t, "c")
	second.Snapshot(t)
	assert.True(t, <-s.ledger.up)
	events := s.ledger.taken()
	assert.Equal(t, "retain c", events[len(events)-1])
}

func TestRefusals(t *testing.T) {
	s := newStage(t)
	c := s.cni.Accept(t)
	c.Snapshot(t)
	<-s.ledger.up
	s.ledger.taken()
	add := fakemesh.AddRequest("a", "cars")
	nameless := fakemesh.AddRequest("a", "")
	for name, answer := range map[string]string{
		"no descriptor":      c.Send(t, add),
		"two descriptors":    c.Send(t, add, marked(t, ""), marked(t, "")),
		"no name":            c.Send(t, nameless, marked(t, "")),
		"no uid":             c.Delete(t, ""),
		"not protobuf":       c.SendRaw(t, []byte{0xff, 0xff, 0xff}),
		"unknown payload":    c.SendRaw(t, []byte{0x7a, 0x00}),
		"descriptor on junk": c.SendRaw(t, []byte{0xff}, marked(t, "")),
	} {
		assert.NotEmpty(t, answer, name)
	}
	assert.Empty(t, s.ledger.taken(), "nothing reached the handler")
	assert.Empty(t, c.Delete(t, "b"), "what came before is logged by now")
	assert.Equal(t, 7, strings.Count(s.log.String(), "level=WARN"), s.log.String())
	s.ledger.taken()
	assert.Empty(t, c.Add(t, "a", "cars", marked(t, "")), "the session goes on")

	s.ledger.refuse = errors.New(strings.Repeat("ä", 2000))
	refusal := c.Add(t, "a", "cars", marked(t, ""))
	assert.Contains(t, refusal, "ää")
	assert.Less(t, len(refusal), 600, "a refusal must fit one packet")
}

func TestUnreadableSnapshotStopsNobody(t *testing.T) {
	s := newStage(t)
	c := s.cni.Accept(t)
	assert.NotEmpty(t, c.SendRaw(t, []byte{0xff, 0xff}))
	assert.Empty(t, c.Snapshot(t))
	assert.True(t, <-s.ledger.up)
	assert.Empty(t, s.ledger.taken())
}

func TestProtocolErrorsStartOver(t *testing.T) {
	for name, offend := range map[string]func(*testing.T, *fakemesh.Session) string{
		"keep after the snapshot": func(t *testing.T, c *fakemesh.Session) string { t.Helper(); return c.Keep(t, "a") },
		"second snapshot":         func(t *testing.T, c *fakemesh.Session) string { t.Helper(); return c.Snapshot(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			c := s.cni.Accept(t)
			c.Snapshot(t)
			assert.Contains(t, offend(t, c), "protocol error")
			c.Ended(t)
			s.cni.Accept(t)
			assert.Equal(t, 1, strings.Count(s.log.String(), "protocol error"), s.log.String())
		})
	}
}

func TestOverlongPacketEndsTheSession(t *testing.T) {
	s := newStage(t)
	c := s.cni.Accept(t)
	long := fakemesh.AddRequest("a", strings.Repeat("x", 2000))
	c.SendUnanswered(t, long, marked(t, ""))
	c.Ended(t)
	s.cni.Accept(t).Snapshot(t)
	assert.Equal(t, []string{"retain"}, s.ledger.taken(), "the pod of the lost packet was not added")
}

// The descriptors of refused messages must not pile up.
func TestNoDescriptorIsLeft(t *testing.T) {
	s := newStage(t)
	c := s.cni.Accept(t)
	c.Snapshot(t)
	f := marked(t, "")
	before := openFiles(t)
	for range 200 {
		c.Add(t, "a", "cars", f)
		c.Send(t, fakemesh.AddRequest("a", "cars"), f, f)
		c.SendRaw(t, []byte{0xff}, f)
		c.Send(t, &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Del{Del: &zdsapi.DelWorkload{Uid: "a"}}}, f)
	}
	assert.Eventually(t, func() bool { return openFiles(t) <= before }, 5*time.Second, 10*time.Millisecond)
}

// Nor must that of a packet without content, which reads like the end of the
// session.
func TestEmptyPacketLeavesNoDescriptor(t *testing.T) {
	s := newStage(t)
	f := marked(t, "")
	s.cni.Accept(t).SendEmpty(t, f)
	c := s.cni.Accept(t)
	before := openFiles(t)
	for range 5 {
		c.SendEmpty(t, f)
		c = s.cni.Accept(t)
	}
	assert.Eventually(t, func() bool { return openFiles(t) <= before+5 }, 5*time.Second, 10*time.Millisecond,
		"the test's own five ends are still open")
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
