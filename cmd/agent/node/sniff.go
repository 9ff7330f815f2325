package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Sight is what passed any interface of the node. A packet counts once for each
// interface it passes.
type Sight struct {
	Packets int
	Dropped int            // that came faster than they could be looked at
	Tunnel  int            // TCP from or to port 15008, HBONE's
	Seen    map[string]int // packets that held the marker in clear
}

// Listening is the line that says that from now on every packet is seen.
const Listening = "listening"

func sniffCommand() *cobra.Command {
	var markers []string
	var wait time.Duration
	command := &cobra.Command{
		Use:   "sniff",
		Short: "Count packets that hold one of the markers in clear, until standard input ends",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), wait)
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, command.InOrStdin())
				cancel()
			}()
			return sniff(ctx, markers, command.OutOrStdout())
		},
	}
	command.Flags().StringSliceVar(&markers, "marker", nil, "what to look for")
	command.Flags().DurationVar(&wait, "for", time.Minute, "at most this long")
	return command
}

// sniff reads every interface. The datagram kind of packet socket leaves the
// link's header out, so each packet begins with its IP header.
func sniff(ctx context.Context, markers []string, out io.Writer) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(toNetwork(unix.ETH_P_ALL)))
	if err != nil {
		return fmt.Errorf("open packet socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := prepare(fd); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, Listening); err != nil {
		return fmt.Errorf("say that packets are seen: %w", err)
	}
	sight := Sight{Seen: map[string]int{}}
	for _, marker := range markers {
		sight.Seen[marker] = 0
	}
	if err := sight.read(ctx, fd); err != nil {
		return err
	}
	statistics, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return fmt.Errorf("ask for dropped packets: %w", err)
	}
	sight.Dropped = int(statistics.Drops)
	return printJSON(out, sight)
}

// toNetwork swaps the bytes: the socket call wants the protocol as it lies on
// the wire.
func toNetwork(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// prepare makes room for bursts, and reads return often enough to notice the end.
func prepare(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
		return fmt.Errorf("make room for packets: %w", err)
	}
	wait := unix.NsecToTimeval((10 * time.Millisecond).Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fmt.Errorf("bound a read: %w", err)
	}
	return nil
}

// read goes on after the end until nothing is queued any more: what passed
// before the end counts, however late it is looked at.
func (s *Sight) read(ctx context.Context, fd int) error {
	buffer := make([]byte, 1<<17)
	for {
		over := ctx.Err() != nil
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		switch {
		case err == nil:
			s.look(buffer[:n])
		case errors.Is(err, unix.EAGAIN) && over:
			return nil //nolint:nilerr // the queue is empty, and the end was asked for
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		default:
			return fmt.Errorf("read packet: %w", err)
		}
	}
}

// tunnelPort is HBONE's.
const tunnelPort = 15008

func (s *Sight) look(packet []byte) {
	s.Packets++
	if from, to, ok := tcpPorts(packet); ok && (from == tunnelPort || to == tunnelPort) {
		s.Tunnel++
	}
	for marker := range s.Seen {
		if bytes.Contains(packet, []byte(marker)) {
			s.Seen[marker]++
		}
	}
}

// tcpPorts reads an IPv4 or, without extension headers, an IPv6 packet.
func tcpPorts(packet []byte) (from, to uint16, ok bool) {
	if len(packet) < 40 {
		return 0, 0, false
	}
	protocol, header := packet[9], int(packet[0]&0x0f)*4
	if packet[0]>>4 == 6 {
		protocol, header = packet[6], 40
	}
	if protocol != unix.IPPROTO_TCP || len(packet) < header+4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(packet[header:]), binary.BigEndian.Uint16(packet[header+2:]), true
}
