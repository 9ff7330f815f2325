package zds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"istio.io/istio/pkg/zdsapi"
)

// Handler carries out what istio-cni says. Calls come one at a time and must
// return well within istio-cni's deadline of five seconds.
type Handler interface {
	// Add starts proxying a pod. It owns the namespace's descriptor from now on.
	Add(ctx context.Context, pod Pod, namespace *os.File) error
	// Delete stops a pod; one that is not known is no error.
	Delete(uid string)
	// Retain stops every pod that keep does not name, after a full snapshot.
	Retain(keep map[string]bool)
	// Connected is told when a session has delivered its snapshot, and when it
	// has ended.
	Connected(up bool)
}

// errProtocol marks a message that has no place in the session: the peers
// disagree about where they are, so the session starts over.
var errProtocol = errors.New("protocol error")

// session is one connection's course from hello to its end.
type session struct {
	conn     *conn
	handler  Handler
	log      *slog.Logger
	seen     map[string]bool
	complete bool // snapshot_sent has been received
	damaged  bool // a message of the snapshot could not be read
}

// run returns when the connection ends, always with an error.
func (s *session) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.conn.close)
	defer stop()
	defer s.conn.close()
	if err := s.conn.hello(); err != nil {
		return err
	}
	defer s.handler.Connected(false)
	for {
		packet, fds, err := s.conn.receive()
		if err != nil {
			return err
		}
		refusal := s.handle(ctx, packet, fds)
		if err := s.conn.answer(refusal); err != nil {
			return errors.Join(refusal, err)
		}
		if errors.Is(refusal, errProtocol) {
			return refusal // with which the end of the session is logged
		}
		if refusal != nil {
			s.log.Warn("refused message of istio-cni", "error", refusal)
		}
	}
}

// handle owns the descriptors. A message that cannot be read is refused and
// forgotten; the next packet starts afresh.
func (s *session) handle(ctx context.Context, packet []byte, fds []int) error {
	request, err := decode(packet)
	if err != nil {
		closeAll(fds)
		s.damaged = s.damaged || !s.complete
		return err
	}
	if add := request.GetAdd(); add != nil {
		return s.add(ctx, podOf(add), fds)
	}
	closeAll(fds)
	return s.withoutDescriptor(request)
}

func (s *session) add(ctx context.Context, pod Pod, fds []int) error {
	namespace, err := takeOne(fds)
	if err != nil {
		s.damaged = s.damaged || !s.complete
		return err
	}
	if !s.complete {
		s.seen[pod.UID] = true
	}
	return s.handler.Add(ctx, pod, namespace)
}

func (s *session) withoutDescriptor(request *zdsapi.WorkloadRequest) error {
	switch p := request.Payload.(type) {
	case *zdsapi.WorkloadRequest_Keep:
		if s.complete {
			return fmt.Errorf("%w: keep of %s after the snapshot", errProtocol, p.Keep.GetUid())
		}
		s.seen[p.Keep.GetUid()] = true
	case *zdsapi.WorkloadRequest_Del:
		delete(s.seen, p.Del.GetUid())
		s.handler.Delete(p.Del.GetUid())
	case *zdsapi.WorkloadRequest_SnapshotSent:
		return s.finishSnapshot()
	}
	return nil
}

// finishSnapshot stops what the snapshot did not name, unless a part of the
// snapshot was unreadable: the pod it named may be running.
func (s *session) finishSnapshot() error {
	if s.complete {
		return fmt.Errorf("%w: second end of the snapshot", errProtocol)
	}
	s.complete = true
	if !s.damaged {
		s.handler.Retain(s.seen)
	}
	s.handler.Connected(true)
	return nil
}
