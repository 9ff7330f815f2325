package fakemesh

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// CNI is istio-cni's end of the socket.
type CNI struct {
	Path     string
	listener *net.UnixListener
}

// NewCNI listens until the test ends.
func NewCNI(t testing.TB) *CNI {
	t.Helper()
	folder, err := os.MkdirTemp("", "zds") // a test's own folder may exceed the path's limit
	require.NoError(t, err)
	c := &CNI{Path: filepath.Join(folder, "z.sock")}
	c.listener, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: c.Path, Net: "unixpacket"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.listener.Close(); _ = os.RemoveAll(folder) })
	return c
}

// Session is one connection of the proxy.
type Session struct{ conn *net.UnixConn }

// Accept takes the proxy's next connection and its hello.
func (c *CNI) Accept(t testing.TB) *Session {
	t.Helper()
	require.NoError(t, c.listener.SetDeadline(time.Now().Add(20*time.Second)))
	conn, err := c.listener.AcceptUnix()
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	hello := &zdsapi.ZdsHello{}
	require.NoError(t, proto.Unmarshal(receive(t, conn), hello))
	require.Equal(t, zdsapi.Version_V1, hello.GetVersion())
	return &Session{conn: conn}
}

func receive(t testing.TB, conn *net.UnixConn) []byte {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	buffer := make([]byte, 1024)
	n, err := conn.Read(buffer)
	require.NoError(t, err)
	return buffer[:n]
}

// SendRaw passes bytes and descriptors, and returns the error of the answer.
func (s *Session) SendRaw(t testing.TB, packet []byte, files ...*os.File) string {
	t.Helper()
	s.write(t, packet, files)
	response := &zdsapi.WorkloadResponse{}
	require.NoError(t, proto.Unmarshal(receive(t, s.conn), response))
	require.NotNil(t, response.GetAck())
	return response.GetAck().GetError()
}

// SendUnanswered does not wait for an answer.
func (s *Session) SendUnanswered(t testing.TB, request *zdsapi.WorkloadRequest, files ...*os.File) {
	t.Helper()
	packet, err := proto.Marshal(request)
	require.NoError(t, err)
	s.write(t, packet, files)
}

func (s *Session) write(t testing.TB, packet []byte, files []*os.File) {
	t.Helper()
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	var control []byte
	if len(fds) > 0 {
		control = syscall.UnixRights(fds...)
	}
	_, _, err := s.conn.WriteMsgUnix(packet, control, nil)
	require.NoError(t, err)
}

// SendEmpty passes descriptors with a packet of no bytes, which the standard
// library would not send.
func (s *Session) SendEmpty(t testing.TB, files ...*os.File) {
	t.Helper()
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	control := syscall.UnixRights(fds...)
	message := syscall.Msghdr{Control: &control[0]}
	message.SetControllen(len(control))
	raw, err := s.conn.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&message)), 0)
		require.Zero(t, errno)
	}))
}

// Send is SendRaw for a message.
func (s *Session) Send(t testing.TB, request *zdsapi.WorkloadRequest, files ...*os.File) string {
	t.Helper()
	packet, err := proto.Marshal(request)
	require.NoError(t, err)
	return s.SendRaw(t, packet, files...)
}

// Add announces a pod.
func (s *Session) Add(t testing.TB, uid, name string, namespace *os.File) string {
	t.Helper()
	return s.Send(t, AddRequest(uid, name), namespace)
}

// AddRequest is an announcement without its descriptor. The service account is
// the pod's name.
func AddRequest(uid, name string) *zdsapi.WorkloadRequest {
	return &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Add{Add: &zdsapi.AddWorkload{
		Uid: uid, WorkloadInfo: &zdsapi.WorkloadInfo{Name: name, Namespace: "ns", ServiceAccount: name},
	}}}
}

// Keep names a pod whose namespace was not found.
func (s *Session) Keep(t testing.TB, uid string) string {
	t.Helper()
	return s.Send(t, &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Keep{Keep: &zdsapi.KeepWorkload{Uid: uid}}})
}

// Delete takes a pod away.
func (s *Session) Delete(t testing.TB, uid string) string {
	t.Helper()
	return s.Send(t, &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Del{Del: &zdsapi.DelWorkload{Uid: uid}}})
}

// Snapshot ends the initial list.
func (s *Session) Snapshot(t testing.TB) string {
	t.Helper()
	return s.Send(t, &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_SnapshotSent{SnapshotSent: &zdsapi.SnapshotSent{}}})
}

// Close hangs up, as a restarted istio-cni does.
func (s *Session) Close() { _ = s.conn.Close() }

// Ended waits until the proxy has hung up.
func (s *Session) Ended(t testing.TB) {
	t.Helper()
	require.NoError(t, s.conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := s.conn.Read(make([]byte, 16))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
