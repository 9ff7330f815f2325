//go:build linux

package hold

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Numbers of the kernel's interface (linux/netlink.h, linux/netfilter/nfnetlink.h
// and nfnetlink_queue.h).
const (
	subsystem  = 3 << 8 // NFNL_SUBSYS_QUEUE, in the upper byte of a message's type
	msgPacket  = 0
	msgVerdict = 1
	msgConfig  = 2

	typeError = 2 // NLMSG_ERROR
	request   = 1 // NLM_F_REQUEST
	wantAck   = 4 // NLM_F_ACK

	configCommand = 1
	configParams  = 2
	configLength  = 3
	configMask    = 4
	configFlags   = 5

	commandBind = 1
	copyMeta    = 1
	failOpen    = 1 // packets pass when the queue is full
	wholeGSO    = 4 // segments of one large packet stay one packet

	packetHeader  = 1
	verdictHeader = 2
	accept        = 1

	headerLen  = 16 // struct nlmsghdr
	genericLen = 4  // struct nfgenmsg
)

// attribute is one netlink attribute, padded to four bytes.
func attribute(kind uint16, value []byte) []byte {
	out := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	out = binary.NativeEndian.AppendUint16(out, kind)
	out = append(out, value...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

// message is one netlink message of the queue's subsystem.
func message(kind, flags, queue uint16, attributes ...[]byte) []byte {
	body := []byte{0, 0} // family unspecified, version 0
	body = binary.BigEndian.AppendUint16(body, queue)
	for _, one := range attributes {
		body = append(body, one...)
	}
	out := binary.NativeEndian.AppendUint32(nil, uint32(headerLen+len(body)))
	out = binary.NativeEndian.AppendUint16(out, subsystem|kind)
	out = binary.NativeEndian.AppendUint16(out, request|flags)
	out = append(out, make([]byte, 8)...) // sequence and port: the kernel fills in or ignores
	return append(out, body...)
}

// bind asks for the queue; each of the three messages is acknowledged.
func bind(queue uint16, most uint32) [][]byte {
	params := append(binary.BigEndian.AppendUint32(nil, 0), copyMeta)
	flags := binary.BigEndian.AppendUint32(nil, failOpen|wholeGSO)
	return [][]byte{
		message(msgConfig, wantAck, queue, attribute(configCommand, []byte{commandBind, 0, 0, 0})),
		message(msgConfig, wantAck, queue, attribute(configParams, params)),
		message(msgConfig, wantAck, queue, attribute(configLength, binary.BigEndian.AppendUint32(nil, most)),
			attribute(configMask, flags), attribute(configFlags, flags)),
	}
}

// pass lets one packet go on.
func pass(queue uint16, id uint32) []byte {
	verdict := binary.BigEndian.AppendUint32(nil, accept)
	return message(msgVerdict, 0, queue, attribute(verdictHeader, binary.BigEndian.AppendUint32(verdict, id)))
}

// received is what one message of the kernel says: a packet's id, or an answer
// to a request.
type received struct {
	packet bool
	id     uint32
	errno  int32 // of an answer: 0 acknowledges
}

// read takes the messages of one datagram apart.
func read(datagram []byte) ([]received, error) {
	var all []received
	for len(datagram) > 0 {
		if len(datagram) < headerLen {
			return all, errors.New("a netlink message without a whole header")
		}
		length := int(binary.NativeEndian.Uint32(datagram))
		if length < headerLen || length > len(datagram) {
			return all, fmt.Errorf("a netlink message of %d bytes in %d", length, len(datagram))
		}
		one, err := readOne(binary.NativeEndian.Uint16(datagram[4:]), datagram[headerLen:length])
		if err != nil {
			return all, err
		}
		all = append(all, one)
		datagram = datagram[min((length+3)&^3, len(datagram)):]
	}
	return all, nil
}

func readOne(kind uint16, body []byte) (received, error) {
	switch {
	case kind == typeError && len(body) >= 4:
		return received{errno: int32(binary.NativeEndian.Uint32(body))}, nil
	case kind == subsystem|msgPacket && len(body) >= genericLen:
		id, err := packetID(body[genericLen:])
		return received{packet: true, id: id}, err
	}
	return received{}, fmt.Errorf("a netlink message of type %#x with %d bytes", kind, len(body))
}

// packetID finds the packet's header among the attributes.
func packetID(attributes []byte) (uint32, error) {
	for len(attributes) >= 4 {
		length, kind := int(binary.NativeEndian.Uint16(attributes)), binary.NativeEndian.Uint16(attributes[2:])&0x3fff
		if length < 4 || length > len(attributes) {
			break
		}
		if kind == packetHeader && length >= 8 {
			return binary.BigEndian.Uint32(attributes[4:]), nil
		}
		attributes = attributes[min((length+3)&^3, len(attributes)):]
	}
	return 0, errors.New("a queued packet without an id")
}
