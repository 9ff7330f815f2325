package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"istio.io/istio/pkg/workloadapi"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/admin"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/config"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
)

// stage is a node with the whole proxy on it, started from the chart's
// environment: istiod, istio-cni and the pods are the test's.
type stage struct {
	istiod *fakemesh.Istiod
	cni    *fakemesh.Session
	socket *fakemesh.CNI
	node   *fakemesh.Node
	quit   context.CancelFunc
	ended  chan error
	addr   config.Listen
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

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{node: fakemesh.NewNode(t), istiod: fakemesh.NewIstiod(t), socket: fakemesh.NewCNI(t), log: &lines{}}
	s.addr = config.Listen{Admin: freeAddress(t), Stats: freeAddress(t), Readiness: freeAddress(t)}
	s.start(t)
	s.cni = s.socket.Accept(t)
	require.Empty(t, s.cni.Snapshot(t))
	s.istiod.Subscribed(t)
	t.Cleanup(func() {
		if t.Failed() {
			text := s.log.String()
			t.Log(text[max(0, len(text)-8000):])
		}
	})
	return s
}

func (s *stage) environment() map[string]string {
	return map[string]string{
		"XDS_ADDRESS": s.istiod.Address, "CA_ADDRESS": "https://" + s.istiod.Address,
		"CA_ROOT_CA": s.istiod.RootFile(), "AUTH_TOKEN": s.istiod.TokenFile(), "INPOD_UDS": s.socket.Path,
		"POD_NAME": "ztunnel-x", "POD_NAMESPACE": "istio-system", "NODE_NAME": "node", "INSTANCE_IP": "10.77.0.1",
		"SERVICE_ACCOUNT": "ztunnel", "ISTIO_META_CLUSTER_ID": "Kubernetes", "TERMINATION_GRACE_PERIOD_SECONDS": "30",
		"ADMIN_ADDR": s.addr.Admin, "STATS_ADDR": s.addr.Stats, "READINESS_ADDR": s.addr.Readiness, "RUST_LOG": "debug",
	}
}

func (s *stage) start(t testing.TB) {
	t.Helper()
	env := s.environment()
	cfg, err := config.Read(func(key string) (string, bool) { v, ok := env[key]; return v, ok }, nil)
	require.NoError(t, err)
	ctx, quit := untilTold(t.Context())
	s.quit = quit
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := assemble(cfg, log, &slog.LevelVar{}, quit)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx) }()
	s.ended = ended
	t.Cleanup(func() {
		quit()
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Error("proxy did not end")
		}
	})
}

// workload is a pod of the node as istiod describes it. Its service account is
// its name.
func workload(p *fakemesh.Pod, name string, hbone bool, services ...string) *workloadapi.Workload {
	w := &workloadapi.Workload{
		Uid: "Kubernetes//Pod/ns/" + name, Name: name, Namespace: "ns", ServiceAccount: name, Node: "node",
		Addresses: [][]byte{netip.MustParseAddr(p.IP).AsSlice()}, ClusterId: "Kubernetes",
		WorkloadName: name, CanonicalName: name, CanonicalRevision: "v1", Services: map[string]*workloadapi.PortList{},
	}
	if hbone {
		w.TunnelProtocol = workloadapi.TunnelProtocol_HBONE
	}
	for _, key := range services {
		w.Services[key] = &workloadapi.PortList{Ports: []*workloadapi.Port{{ServicePort: 80, TargetPort: 8080}}}
	}
	return w
}

func service(host, vip string) *workloadapi.Service {
	return &workloadapi.Service{
		Name: host, Namespace: "ns", Hostname: host, Ports: []*workloadapi.Port{{ServicePort: 80, TargetPort: 8080}},
		Addresses: []*workloadapi.NetworkAddress{{Address: netip.MustParseAddr(vip).AsSlice()}},
	}
}

// captured makes a pod that istio-cni redirects and both partners know.
func (s *stage) captured(t testing.TB, name string, services ...string) *fakemesh.Pod {
	t.Helper()
	p := s.node.Pod(t, true)
	f := p.File(t)
	defer f.Close()
	require.Empty(t, s.cni.Add(t, "uid-"+name, name, f))
	s.istiod.Put(t, p.IP, workload(p, name, true, services...))
	return p
}

// application answers with the peer's address, then echoes.
func application(t testing.TB, p *fakemesh.Pod, port int) {
	t.Helper()
	l := p.Listen(t, port)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = fmt.Fprintln(c, c.RemoteAddr().(*net.TCPAddr).IP)
				_, _ = io.Copy(c, c)
			}()
		}
	}()
}

// call connects as an application of the pod and reads whom the other side saw.
func call(ctx context.Context, p *fakemesh.Pod, address string) (net.Conn, string, error) {
	c, err := p.Dial(ctx, address)
	if err != nil {
		return nil, "", err
	}
	_ = c.SetReadDeadline(time.Now().Add(8 * time.Second))
	seen := make([]byte, 0, 64)
	one := make([]byte, 1)
	for {
		if _, err := c.Read(one); err != nil {
			_ = c.Close()
			return nil, "", err
		}
		if one[0] == '\n' {
			return c, string(seen), nil
		}
		seen = append(seen, one[0])
	}
}

func mustCall(t testing.TB, p *fakemesh.Pod, address string) (net.Conn, string) {
	t.Helper()
	var c net.Conn
	var seen string
	require.Eventually(t, func() (ok bool) {
		var err error
		c, seen, err = call(t.Context(), p, address)
		return err == nil
	}, 15*time.Second, 20*time.Millisecond, "call to %s", address)
	t.Cleanup(func() { _ = c.Close() })
	return c, seen
}

func echoed(t testing.TB, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(8*time.Second)))
	got := make([]byte, len(text))
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func get(t testing.TB, address, path string) (int, string) {
	t.Helper()
	r, err := http.Get("http://" + address + path)
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(body)
}

func (s *stage) dump(t testing.TB) admin.Dump {
	t.Helper()
	status, body := get(t, s.addr.Admin, "/config_dump")
	require.Equal(t, http.StatusOK, status)
	var d admin.Dump
	require.NoError(t, json.Unmarshal([]byte(body), &d))
	return d
}
