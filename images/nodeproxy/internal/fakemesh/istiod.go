package fakemesh

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"istio.io/api/security/v1alpha1"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"
)

const (
	addressURL       = "type.googleapis.com/istio.workload.Address"
	authorizationURL = "type.googleapis.com/istio.security.Authorization"
	token            = "token-of-the-proxy"
)

// Istiod is a control plane: delta discovery and certificates on one TLS port.
type Istiod struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	CA      *CA
	Address string
	// Folder holds root-cert.pem and token for the proxy.
	Folder string

	server *grpc.Server
	mu     sync.Mutex
	held   map[string]map[string]*discovery.Resource // by type, then name
	out    map[chan *discovery.DeltaDiscoveryResponse]bool
	seen   []*discovery.DeltaDiscoveryRequest
	pushes int
}

// patience is how long a proxy may take to acknowledge.
const patience = 20 * time.Second

// NewIstiod serves on loopback until the test ends.
func NewIstiod(t testing.TB) *Istiod {
	t.Helper()
	d := &Istiod{
		CA: NewCA(t), Folder: t.TempDir(), out: map[chan *discovery.DeltaDiscoveryResponse]bool{},
		held: map[string]map[string]*discovery.Resource{addressURL: {}, authorizationURL: {}},
	}
	certPEM, keyPEM := d.CA.Server(t, "127.0.0.1")
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.RootFile(), []byte(d.CA.PEM()), 0o600))
	require.NoError(t, os.WriteFile(d.TokenFile(), []byte(token+"\n"), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.Address = listener.Addr().String()
	d.server = grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	discovery.RegisterAggregatedDiscoveryServiceServer(d.server, d)
	v1alpha1.RegisterIstioCertificateServiceServer(d.server, d.CA)
	go func() { _ = d.server.Serve(listener) }()
	t.Cleanup(d.server.Stop)
	return d
}

// RootFile is the bundle the proxy trusts.
func (d *Istiod) RootFile() string { return filepath.Join(d.Folder, "root-cert.pem") }

// TokenFile is the proxy's token.
func (d *Istiod) TokenFile() string { return filepath.Join(d.Folder, "token") }

// DeltaAggregatedResources sends what is held at each subscription, less what
// the client has in the same version, and every later change.
func (d *Istiod) DeltaAggregatedResources(s discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	md, _ := metadata.FromIncomingContext(s.Context())
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+token || len(md.Get("clusterid")) != 1 {
		return status.Error(codes.Unauthenticated, "authentication failure")
	}
	changes := make(chan *discovery.DeltaDiscoveryResponse, 1024)
	d.follow(changes, true)
	defer d.follow(changes, false)
	ended := make(chan error, 1)
	go func() { ended <- d.read(s, changes) }()
	for {
		select {
		case err := <-ended:
			return err
		case r, ok := <-changes:
			if !ok {
				return status.Error(codes.Unavailable, "connection age")
			}
			if err := s.Send(r); err != nil {
				return err
			}
		}
	}
}

func (d *Istiod) follow(c chan *discovery.DeltaDiscoveryResponse, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if on {
		d.out[c] = true
	} else {
		delete(d.out, c)
	}
}

func (d *Istiod) read(s discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer, out chan *discovery.DeltaDiscoveryResponse) error {
	for {
		r, err := s.Recv()
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.seen = append(d.seen, r)
		if r.GetResponseNonce() == "" {
			out <- d.first(r)
		}
		d.mu.Unlock()
	}
}

func (d *Istiod) first(r *discovery.DeltaDiscoveryRequest) *discovery.DeltaDiscoveryResponse {
	response := &discovery.DeltaDiscoveryResponse{TypeUrl: r.GetTypeUrl(), Nonce: "first-" + r.GetTypeUrl()}
	for name, resource := range d.held[r.GetTypeUrl()] {
		if v, ok := r.GetInitialResourceVersions()[name]; !ok || v != resource.GetVersion() || v == "" {
			response.Resources = append(response.Resources, resource)
		}
	}
	for name := range r.GetInitialResourceVersions() {
		if d.held[r.GetTypeUrl()][name] == nil {
			response.RemovedResources = append(response.RemovedResources, name)
		}
	}
	return response
}

// Subscribed waits until a proxy has acknowledged what was held of every type.
func (d *Istiod) Subscribed(t testing.TB) {
	t.Helper()
	for url := range d.held {
		require.Eventually(t, func() bool { return d.answered("first-" + url) }, patience, 5*time.Millisecond,
			"nobody subscribed to %s", url)
	}
}

// answered tells if a nonce was acknowledged or refused.
func (d *Istiod) answered(nonce string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.seen, func(r *discovery.DeltaDiscoveryRequest) bool {
		return r.GetResponseNonce() == nonce
	})
}

func (d *Istiod) followed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.out) > 0
}

// Put sends resources by name and returns when they are known to the proxies
// that follow, if any do; the version must change with the content.
func (d *Istiod) Put(t testing.TB, version string, messages ...proto.Message) {
	t.Helper()
	for _, m := range messages {
		url, name := addressURL, ""
		switch a := m.(type) {
		case *workloadapi.Workload:
			name, m = a.GetUid(), &workloadapi.Address{Type: &workloadapi.Address_Workload{Workload: a}}
		case *workloadapi.Service:
			name = a.GetNamespace() + "/" + a.GetHostname()
			m = &workloadapi.Address{Type: &workloadapi.Address_Service{Service: a}}
		case *security.Authorization:
			url, name = authorizationURL, a.GetNamespace()+"/"+a.GetName()
		}
		value, err := proto.Marshal(m)
		require.NoError(t, err)
		nonce := d.PutRaw(url, &discovery.Resource{
			Name: name, Version: version, Resource: &anypb.Any{TypeUrl: url, Value: value},
		})
		require.Eventually(t, func() bool { return d.answered(nonce) || !d.followed() }, patience, 5*time.Millisecond,
			"no answer to the push of %s", name)
	}
}

// PutRaw sends a resource as it is, however malformed, and returns the nonce of
// the push.
func (d *Istiod) PutRaw(url string, r *discovery.Resource) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[url][r.GetName()] = r
	return d.send(&discovery.DeltaDiscoveryResponse{TypeUrl: url, Resources: []*discovery.Resource{r}})
}

// Remove takes a resource away.
func (d *Istiod) Remove(url, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.held[url], name)
	d.send(&discovery.DeltaDiscoveryResponse{TypeUrl: url, RemovedResources: []string{name}})
}

func (d *Istiod) send(r *discovery.DeltaDiscoveryResponse) string {
	d.pushes++
	r.Nonce = fmt.Sprintf("push-%d", d.pushes)
	for c := range d.out {
		c <- r
	}
	return r.GetNonce()
}

// HangUp ends all streams, as istiod does every half hour.
func (d *Istiod) HangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.out {
		close(c)
		delete(d.out, c)
	}
}

// Requests lists everything received.
func (d *Istiod) Requests() []*discovery.DeltaDiscoveryRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*discovery.DeltaDiscoveryRequest(nil), d.seen...)
}
