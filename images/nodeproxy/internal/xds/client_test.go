package xds_test

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/istiod"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/xds"
)

const (
	addressURL       = "type.googleapis.com/istio.workload.Address"
	authorizationURL = "type.googleapis.com/istio.security.Authorization"
)

type follower struct {
	istiod *fakemesh.Istiod
	store  *state.Store
	table  *rbac.Table
	client *xds.Client
}

func follow(t *testing.T, prepare func(*fakemesh.Istiod)) follower {
	t.Helper()
	d := fakemesh.NewIstiod(t)
	if prepare != nil {
		prepare(d)
	}
	conn, err := istiod.Dial(istiod.Endpoint{
		Address: d.Address, RootFile: d.RootFile(), TokenFile: d.TokenFile(), ClusterID: "Kubernetes",
	})
	require.NoError(t, err)
	f := follower{istiod: d, store: state.New(), table: rbac.NewTable()}
	f.client = xds.NewClient(conn, &core.Node{Id: "ztunnel~10.0.0.1~z.ns~ns.svc.cluster.local"},
		slog.New(slog.DiscardHandler), xds.Addresses(f.store), xds.Authorizations(f.table))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
		_ = conn.Close()
	})
	return f
}

func (f follower) synced(t *testing.T) {
	t.Helper()
	select {
	case <-f.client.Synced():
	case <-time.After(10 * time.Second):
		t.Fatal("never synced")
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 10*time.Second, 5*time.Millisecond, what)
}

func workload(uid, ip string) *workloadapi.Workload {
	return &workloadapi.Workload{Uid: uid, Name: uid, Namespace: "ns", Addresses: [][]byte{netip.MustParseAddr(ip).AsSlice()}}
}

func (f follower) uids() []string {
	out := []string{}
	for _, w := range f.store.Workloads() {
		out = append(out, w.UID())
	}
	return out
}

func TestFollowsTheControlPlane(t *testing.T) {
	f := follow(t, func(d *fakemesh.Istiod) {
		d.Put(t, "1", workload("a", "10.0.0.1"), &workloadapi.Service{Namespace: "ns", Hostname: "h"})
		d.Put(t, "", &security.Authorization{Namespace: "ns", Name: "p"})
	})
	f.synced(t)
	assert.Equal(t, []string{"a"}, f.uids())
	assert.NotNil(t, f.store.ServiceNamed("ns/h"))
	assert.Len(t, f.table.All(), 1)
	f.istiod.Put(t, "2", workload("b", "10.0.0.2"))
	f.istiod.Remove(addressURL, "a")
	f.istiod.Remove(authorizationURL, "ns/p")
	eventually(t, "changes arrive", func() bool {
		return len(f.uids()) == 1 && f.uids()[0] == "b" && len(f.table.All()) == 0
	})
}

func TestEmptyMeshIsSyncedToo(t *testing.T) {
	f := follow(t, nil)
	f.synced(t)
	eventually(t, "empty answers are acknowledged", func() bool { return len(f.istiod.Requests()) == 4 })
	for _, r := range f.istiod.Requests() {
		assert.Empty(t, r.GetResourceNamesSubscribe(), "wildcard")
		assert.Nil(t, r.GetErrorDetail())
	}
}

// After a lost stream the state is kept, versions are named, and what vanished
// meanwhile goes.
func TestReconnect(t *testing.T) {
	f := follow(t, func(d *fakemesh.Istiod) {
		d.Put(t, "7", workload("stays", "10.0.0.1"), workload("goes", "10.0.0.2"))
		d.Put(t, "", &security.Authorization{Namespace: "ns", Name: "p"})
	})
	f.synced(t)
	before := len(f.istiod.Requests())
	f.istiod.HangUp()
	f.istiod.Remove(addressURL, "goes")
	eventually(t, "removal is learnt after the reconnect", func() bool { return len(f.uids()) == 1 })
	assert.Equal(t, []string{"stays"}, f.uids())
	for _, r := range f.istiod.Requests()[before:] {
		if r.GetTypeUrl() == addressURL && r.GetNode() != nil {
			assert.Equal(t, map[string]string{"stays": "7", "goes": "7"}, r.GetInitialResourceVersions())
		}
		if r.GetTypeUrl() == authorizationURL && r.GetNode() != nil {
			assert.Equal(t, map[string]string{"ns/p": ""}, r.GetInitialResourceVersions())
		}
	}
}

func TestMalformedResourcesAreRefusedAlone(t *testing.T) {
	f := follow(t, func(d *fakemesh.Istiod) { d.Put(t, "1", workload("a", "10.0.0.1")) })
	f.synced(t)
	for _, r := range []*discovery.Resource{
		{Name: "junk", Version: "1", Resource: &anypb.Any{TypeUrl: addressURL, Value: []byte{0xff}}},
		{Name: "other", Version: "1", Resource: &anypb.Any{TypeUrl: authorizationURL}},
		{Name: "none", Version: "1"},
		{Name: "a", Version: "2", Resource: &anypb.Any{TypeUrl: addressURL, Value: []byte{0xff}}},
	} {
		f.istiod.PutRaw(addressURL, r)
	}
	f.istiod.Put(t, "2", workload("b", "10.0.0.2"))
	eventually(t, "good ones still come", func() bool { return len(f.uids()) == 2 })
	assert.Equal(t, []string{"a", "b"}, f.uids(), "what was held under a malformed name stays")
	refusals := 0
	for _, r := range f.istiod.Requests() {
		if r.GetErrorDetail() != nil {
			refusals++
		}
	}
	assert.Equal(t, 4, refusals)

	f.istiod.HangUp()
	eventually(t, "after a reconnect the version held before counts", func() bool {
		for _, r := range f.istiod.Requests() {
			if len(r.GetInitialResourceVersions()) == 2 {
				return assert.Equal(t, map[string]string{"a": "1", "b": "2"}, r.GetInitialResourceVersions())
			}
		}
		return false
	})
}

func TestPolicyNotUnderstoodIsRefusedAndDenies(t *testing.T) {
	f := follow(t, nil)
	f.synced(t)
	f.istiod.Put(t, "", &security.Authorization{Namespace: "ns", Name: "later", Scope: security.Scope_NAMESPACE, Action: 9})
	eventually(t, "policy is held", func() bool { return len(f.table.All()) == 1 })
	assert.Error(t, rbac.Decide(f.table.For("ns", nil), rbac.Request{}).Denied)
	assert.NoError(t, rbac.Decide(f.table.For("other", nil), rbac.Request{}).Denied)
}

// The control plane's name for a policy is what workloads select it by, and what
// it is removed by, whatever the policy calls itself.
func TestPolicyIsKnownByItsResourceName(t *testing.T) {
	f := follow(t, nil)
	f.synced(t)
	value, err := proto.Marshal(&security.Authorization{
		Namespace: "ns", Name: "p", Scope: security.Scope_WORKLOAD_SELECTOR, Action: security.Action_ALLOW,
	})
	require.NoError(t, err)
	f.istiod.PutRaw(authorizationURL, &discovery.Resource{
		Name: "ns/converted-p", Resource: &anypb.Any{TypeUrl: authorizationURL, Value: value},
	})
	eventually(t, "policy is enforced", func() bool {
		return rbac.Decide(f.table.For("ns", []string{"ns/converted-p"}), rbac.Request{}).Denied != nil
	})
	f.istiod.Remove(authorizationURL, "ns/converted-p")
	eventually(t, "policy is lifted", func() bool { return len(f.table.All()) == 0 })
}

func unreadable(name string) *discovery.Resource {
	return &discovery.Resource{Name: name, Version: "1", Resource: &anypb.Any{TypeUrl: authorizationURL, Value: []byte{0xff}}}
}

// A policy that cannot be read and was never held may be the one that keeps
// somebody out: until it is gone the proxy does not begin.
func TestUnreadablePolicyHoldsUpTheStart(t *testing.T) {
	f := follow(t, func(d *fakemesh.Istiod) { d.PutRaw(authorizationURL, unreadable("ns/secret")) })
	eventually(t, "the reason is told", func() bool {
		err := f.client.Ready()
		return err != nil && strings.Contains(err.Error(), "ns/secret")
	})
	select {
	case <-f.client.Synced():
		t.Fatal("synced without a policy")
	default:
	}
	f.istiod.Put(t, "2", &security.Authorization{Namespace: "ns", Name: "secret"})
	f.synced(t)
	require.NoError(t, f.client.Ready())
}

func TestUnreadablePolicyIsToldAfterTheStart(t *testing.T) {
	f := follow(t, func(d *fakemesh.Istiod) { d.Put(t, "1", &security.Authorization{Namespace: "ns", Name: "held"}) })
	f.synced(t)
	f.istiod.PutRaw(authorizationURL, unreadable("ns/held"))
	f.istiod.Put(t, "1", &security.Authorization{Namespace: "ns", Name: "other"})
	require.NoError(t, f.client.Ready(), "what was held stays in force")
	f.istiod.PutRaw(authorizationURL, unreadable("ns/secret"))
	eventually(t, "not ready", func() bool { return f.client.Ready() != nil })
	f.istiod.HangUp()
	f.istiod.Remove(authorizationURL, "ns/secret")
	eventually(t, "it went while there was no stream", func() bool { return f.client.Ready() == nil })
}

func TestControlPlaneMustProveItself(t *testing.T) {
	d := fakemesh.NewIstiod(t)
	stranger := fakemesh.NewCA(t)
	require.NoError(t, os.WriteFile(d.RootFile(), []byte(stranger.PEM()), 0o600))
	conn, err := istiod.Dial(istiod.Endpoint{Address: d.Address, RootFile: d.RootFile(), TokenFile: d.TokenFile()})
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	ads, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err == nil {
		_, err = ads.Recv()
	}
	require.ErrorContains(t, err, "verify control plane")

	// The right roots are picked up without a restart.
	require.NoError(t, os.WriteFile(d.RootFile(), []byte(d.CA.PEM()), 0o600))
	eventually(t, "roots are read anew", func() bool {
		ads, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context())
		if err != nil {
			return false
		}
		_ = ads.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: addressURL}) // Recv tells why it failed
		_, err = ads.Recv()
		return err == nil
	})
}
