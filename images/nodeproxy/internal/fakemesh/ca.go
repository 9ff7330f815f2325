// Package fakemesh plays the node proxy's partners in tests: a certificate
// authority and a control plane over real gRPC, istio-cni over a real
// seqpacket socket, and pods as real network namespaces with istio-cni's
// rules. No product code imports it.
package fakemesh

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"istio.io/api/security/v1alpha1"
)

// CA issues what is asked for, as istiod's authority does.
type CA struct {
	v1alpha1.UnimplementedIstioCertificateServiceServer
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu       sync.Mutex
	lifetime time.Duration
	failing  error
	mistaken Mistake
	issued   []string
}

// Mistake is how an authority may answer for something else than it was asked.
type Mistake int

// The ways to be mistaken.
const (
	NoMistake Mistake = iota
	AnotherIdentity
	AnotherKey
)

// NewCA makes a self-signed root.
func NewCA(t testing.TB) *CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &CA{key: key, lifetime: time.Hour}
	template := ca.template("test root")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	template.NotAfter = time.Now().Add(24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	ca.Cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return ca
}

func (ca *CA) template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // the system's randomness is broken
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(ca.lifetime),
	}
}

// SetLifetime applies to certificates issued from now on; a negative one is
// expired from the start.
func (ca *CA) SetLifetime(d time.Duration) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.lifetime = d
}

// SetFailing makes requests fail until it is set to nil.
func (ca *CA) SetFailing(err error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.failing = err
}

// SetMistaken applies to certificates issued from now on.
func (ca *CA) SetMistaken(m Mistake) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.mistaken = m
}

// Issued lists the identities of all certificates so far.
func (ca *CA) Issued() []string {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return append([]string(nil), ca.issued...)
}

// PEM is the root as a bundle.
func (ca *CA) PEM() string { return encode(ca.Cert.Raw) }

func encode(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// CreateCertificate demands what istiod demands of an impersonating caller.
func (ca *CA) CreateCertificate(_ context.Context, r *v1alpha1.IstioCertificateRequest) (*v1alpha1.IstioCertificateResponse, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if ca.failing != nil {
		return nil, ca.failing
	}
	id := r.GetMetadata().GetFields()["ImpersonatedIdentity"].GetStringValue()
	csr, err := parseRequest(r.GetCsr())
	if err != nil {
		return nil, err
	}
	if len(csr.URIs) != 1 || csr.URIs[0].String() != id {
		return nil, fmt.Errorf("request for %v impersonates %q", csr.URIs, id)
	}
	leaf := ca.template("")
	leaf.URIs = csr.URIs
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf.NotBefore = leaf.NotAfter.Add(-ca.span())
	public := csr.PublicKey
	switch ca.mistaken {
	case AnotherIdentity:
		leaf.URIs = []*url.URL{{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/else/sa/where"}}
	case AnotherKey:
		public = ca.key.Public()
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca.Cert, public, ca.key)
	if err != nil {
		return nil, err
	}
	ca.issued = append(ca.issued, id)
	return &v1alpha1.IstioCertificateResponse{CertChain: []string{encode(der), ca.PEM()}}, nil
}

func (ca *CA) span() time.Duration {
	if ca.lifetime < 0 {
		return time.Minute
	}
	return ca.lifetime + time.Second
}

func parseRequest(text string) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM block in request")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	return csr, csr.CheckSignature()
}

// Server issues a certificate for a server by name, for the control plane's own
// TLS.
func (ca *CA) Server(t testing.TB, host string) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	leaf := ca.template(host)
	leaf.DNSNames = []string{host}
	if ip := net.ParseIP(host); ip != nil {
		leaf.DNSNames, leaf.IPAddresses = nil, []net.IP{ip}
	}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca.Cert, key.Public(), ca.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return []byte(encode(der)), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}
