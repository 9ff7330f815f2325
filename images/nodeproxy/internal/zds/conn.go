package zds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// answerDeadline is istio-cni's: an answer that comes later would be taken for
// the answer to the next message.
const answerDeadline = 5 * time.Second

// errTruncated ends the session, for the rest of the packet is lost.
var errTruncated = errors.New("packet or its descriptors were truncated")

type conn struct{ unix *net.UnixConn }

func dial(ctx context.Context, path string) (*conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unixpacket", path)
	if err != nil {
		return nil, fmt.Errorf("connect to istio-cni at %s: %w", path, err)
	}
	return &conn{unix: c.(*net.UnixConn)}, nil
}

func (c *conn) hello() error {
	return c.send(&zdsapi.ZdsHello{Version: zdsapi.Version_V1})
}

// answer acknowledges the last message, or refuses it with the error's text.
func (c *conn) answer(refusal error) error {
	ack := &zdsapi.Ack{}
	if refusal != nil {
		ack.Error = clip(refusal.Error())
	}
	return c.send(&zdsapi.WorkloadResponse{Payload: &zdsapi.WorkloadResponse_Ack{Ack: ack}})
}

// clip keeps the text short enough for one packet and valid for protobuf.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxNack)], "")
}

func (c *conn) send(m proto.Message) error {
	packet, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %T: %w", m, err)
	}
	if err := c.unix.SetWriteDeadline(time.Now().Add(answerDeadline)); err != nil {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if _, err := c.unix.Write(packet); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	return nil
}

// receive returns one packet and the descriptors that came with it, which the
// caller owns. The standard library marks them close-on-exec.
func (c *conn) receive() (packet []byte, fds []int, err error) {
	buffer := make([]byte, maxPacket)
	// Room for one more descriptor than allowed, so that a surplus is seen.
	control := make([]byte, syscall.CmsgSpace(2*sizeofFD))
	n, controlLen, flags, _, err := c.unix.ReadMsgUnix(buffer, control)
	if err != nil {
		err = fmt.Errorf("receive from istio-cni: %w", err)
	} else if flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		err = errTruncated
	}
	// A packet without content counts as the end and may carry descriptors.
	fds, malformed := descriptors(control[:controlLen])
	if err = errors.Join(err, malformed); err != nil {
		closeAll(fds)
		return nil, nil, err
	}
	return buffer[:n], fds, nil
}

func (c *conn) close() { _ = c.unix.Close() }
