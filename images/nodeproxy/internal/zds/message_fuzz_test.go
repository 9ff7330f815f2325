package zds

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// Whatever decodes must be fit to be handled: a known payload with its uid.
func FuzzDecode(f *testing.F) {
	for _, r := range []*zdsapi.WorkloadRequest{
		{Payload: &zdsapi.WorkloadRequest_Add{Add: &zdsapi.AddWorkload{
			Uid: "u", WorkloadInfo: &zdsapi.WorkloadInfo{Name: "n", Namespace: "ns", ServiceAccount: "sa"},
		}}},
		{Payload: &zdsapi.WorkloadRequest_Keep{Keep: &zdsapi.KeepWorkload{Uid: "u"}}},
		{Payload: &zdsapi.WorkloadRequest_Del{Del: &zdsapi.DelWorkload{Uid: "u"}}},
		{Payload: &zdsapi.WorkloadRequest_SnapshotSent{SnapshotSent: &zdsapi.SnapshotSent{}}},
		{},
	} {
		packet, err := proto.Marshal(r)
		require.NoError(f, err)
		f.Add(packet)
	}
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, packet []byte) {
		r, err := decode(packet)
		if err != nil {
			return
		}
		if add := r.GetAdd(); add != nil {
			p := podOf(add)
			require.NotEmpty(t, p.UID)
			require.NotEmpty(t, p.Name)
			require.NotEmpty(t, p.Namespace)
			require.NotEmpty(t, p.ServiceAccount)
			return
		}
		require.True(t, r.GetSnapshotSent() != nil || r.GetKeep().GetUid() != "" || r.GetDel().GetUid() != "")
	})
}

// Control data comes from the kernel, but its parser must not trust lengths.
func FuzzDescriptors(f *testing.F) {
	f.Add([]byte{})
	f.Add(syscall.UnixRights(1))
	f.Add(syscall.UnixRights(1, 2))
	f.Add(syscall.UnixCredentials(&syscall.Ucred{Pid: 1}))
	f.Fuzz(func(t *testing.T, control []byte) {
		fds, err := descriptors(control)
		if err == nil {
			require.LessOrEqual(t, 4*len(fds), len(control))
		}
	})
}
