// Package zds speaks the protocol by which istio-cni tells the node proxy which
// pods of the node it captures: one protobuf message per seqpacket, each
// answered by exactly one acknowledgement. What is done with a pod is the
// Handler's business.
package zds

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// maxPacket is the buffer both sides read into: a longer packet is an error.
const maxPacket = 1024

// maxNack leaves room for the protobuf framing inside one packet.
const maxNack = 512

// sizeofFD is how many bytes of control data a descriptor takes.
const sizeofFD = 4

// Pod is what istio-cni says about a captured pod. UID is Kubernetes' own, not
// the uid of the control plane's workload.
type Pod struct {
	UID            string
	Name           string
	Namespace      string
	ServiceAccount string
}

// decode checks the form of a request: exactly one known payload with the
// fields it cannot do without.
func decode(packet []byte) (*zdsapi.WorkloadRequest, error) {
	request := &zdsapi.WorkloadRequest{}
	if err := proto.Unmarshal(packet, request); err != nil {
		return nil, fmt.Errorf("decode workload request: %w", err)
	}
	switch p := request.Payload.(type) {
	case *zdsapi.WorkloadRequest_Add:
		return request, validAdd(p.Add)
	case *zdsapi.WorkloadRequest_Keep:
		return request, validUID("keep", p.Keep.GetUid())
	case *zdsapi.WorkloadRequest_Del:
		return request, validUID("del", p.Del.GetUid())
	case *zdsapi.WorkloadRequest_SnapshotSent:
		return request, nil
	}
	return nil, errors.New("workload request has no known payload")
}

func validUID(kind, uid string) error {
	if uid == "" {
		return fmt.Errorf("%s without a pod uid", kind)
	}
	return nil
}

func validAdd(add *zdsapi.AddWorkload) error {
	if err := validUID("add", add.GetUid()); err != nil {
		return err
	}
	info := add.GetWorkloadInfo()
	if info.GetName() == "" || info.GetNamespace() == "" {
		return fmt.Errorf("add of %q without name or namespace", add.GetUid())
	}
	return nil
}

func podOf(add *zdsapi.AddWorkload) Pod {
	info := add.GetWorkloadInfo()
	account := info.GetServiceAccount()
	if account == "" {
		account = "default"
	}
	return Pod{UID: add.GetUid(), Name: info.GetName(), Namespace: info.GetNamespace(), ServiceAccount: account}
}

// descriptors reads the descriptors out of a packet's control data. The caller
// owns every one returned, also beside an error.
func descriptors(control []byte) ([]int, error) {
	if len(control) == 0 {
		return nil, nil
	}
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return nil, fmt.Errorf("parse control data: %w", err)
	}
	var fds []int
	for i := range messages {
		if len(messages[i].Data)%sizeofFD != 0 { // the library's parser takes it for granted
			return fds, fmt.Errorf("passed descriptors of %d bytes", len(messages[i].Data))
		}
		rights, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			return fds, fmt.Errorf("parse passed descriptors: %w", err)
		}
		fds = append(fds, rights...)
	}
	return fds, nil
}

// takeOne keeps the only descriptor as a file; none or several are all closed.
func takeOne(fds []int) (*os.File, error) {
	if len(fds) != 1 {
		closeAll(fds)
		return nil, fmt.Errorf("add carries %d descriptors, want one", len(fds))
	}
	return os.NewFile(uintptr(fds[0]), "pod network namespace"), nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd) // received unasked: nothing depends on it
	}
}
