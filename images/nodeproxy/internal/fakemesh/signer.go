package fakemesh

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"istio.io/api/security/v1alpha1"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// Authority is the product's client, connected to the CA over loopback.
func (ca *CA) Authority(t testing.TB) *identity.Authority {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	v1alpha1.RegisterIstioCertificateServiceServer(server, ca)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(); server.Stop() })
	return identity.NewAuthority(conn)
}

// Certificate has one identity certified.
func (ca *CA) Certificate(t testing.TB, id spiffe.ID) *identity.Certificate {
	t.Helper()
	cert, err := ca.Authority(t).Sign(t.Context(), id)
	require.NoError(t, err)
	return cert
}
