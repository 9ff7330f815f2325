// Package istiod connects to the control plane: one gRPC endpoint for
// configuration and certificates, authenticated by the pod's service account
// token. What is asked for over the connection is the business of packages xds
// and identity.
package istiod

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage allows a first answer that names a whole mesh.
	maxMessage = 200 << 20
	// istiod closes connections that ping more often than every 15 s.
	pingInterval = 30 * time.Second
	pingTimeout  = 10 * time.Second
	// A control plane that is back must be heard soon: the library's own pause
	// grows to two minutes.
	firstPause     = 100 * time.Millisecond
	longestPause   = 15 * time.Second
	connectTimeout = 10 * time.Second
)

// Endpoint is where the control plane is and how to prove who asks. The files
// are read anew for each use, since both are rotated.
type Endpoint struct {
	Address   string // host:port
	RootFile  string // PEM bundle that the server's certificate chains to
	TokenFile string // service account token
	ClusterID string
}

// Dial does not wait for the connection: calls do.
func Dial(e Endpoint) (*grpc.ClientConn, error) {
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		return nil, fmt.Errorf("control plane address %q: %w", e.Address, err)
	}
	conn, err := grpc.NewClient(e.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(e.tlsConfig(host))),
		grpc.WithPerRPCCredentials(token{file: e.TokenFile, cluster: e.ClusterID}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pauses(), MinConnectTimeout: connectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingInterval, Timeout: pingTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare connection to control plane %s: %w", e.Address, err)
	}
	return conn, nil
}

func pauses() backoff.Config {
	c := backoff.DefaultConfig
	c.BaseDelay, c.MaxDelay = firstPause, longestPause
	return c
}

// tlsConfig verifies by hand, with the roots as they are at that moment; the
// library's own check would keep those of the start.
func (e Endpoint) tlsConfig(host string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         host,
		InsecureSkipVerify: true, // VerifyConnection does it all
		VerifyConnection:   func(state tls.ConnectionState) error { return e.verify(state, host) },
	}
}

func (e Endpoint) verify(state tls.ConnectionState, host string) error {
	bundle, err := os.ReadFile(e.RootFile)
	if err != nil {
		return fmt.Errorf("read control plane's roots: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return fmt.Errorf("no certificate in %s", e.RootFile)
	}
	if len(state.PeerCertificates) == 0 {
		return errors.New("control plane shows no certificate")
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: host, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return fmt.Errorf("verify control plane %s: %w", host, err)
	}
	return nil
}

// token adds the two headers without which istiod refuses impersonation.
type token struct{ file, cluster string }

func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	raw, err := os.ReadFile(t.file)
	if err != nil {
		return nil, fmt.Errorf("read service account token: %w", err)
	}
	return map[string]string{
		"authorization": "Bearer " + strings.TrimSpace(string(raw)),
		"clusterid":     t.cluster,
	}, nil
}

func (t token) RequireTransportSecurity() bool { return true }
