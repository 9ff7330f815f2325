package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
	"istio.io/api/security/v1alpha1"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

const (
	// validity is asked for; the authority may grant less.
	validity = 24 * time.Hour
	// signTimeout bounds one request to the authority.
	signTimeout = 10 * time.Second
	// impersonated names the metadata field by which a node's proxy asks for a
	// pod's identity with its own token.
	impersonated = "ImpersonatedIdentity"
)

// Authority asks istiod's certificate authority.
type Authority struct {
	client v1alpha1.IstioCertificateServiceClient
}

// NewAuthority uses a connection that carries the proxy's token.
func NewAuthority(conn grpc.ClientConnInterface) *Authority {
	return &Authority{client: v1alpha1.NewIstioCertificateServiceClient(conn)}
}

// Sign makes a fresh key and has it certified for an identity.
func (a *Authority) Sign(ctx context.Context, id spiffe.ID) (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key for %s: %w", id, err)
	}
	request, err := signingRequest(id, key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	answer, err := a.client.CreateCertificate(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("have %s certified: %w", id, err)
	}
	return assemble(id, key, answer.GetCertChain())
}

func signingRequest(id spiffe.ID, key *ecdsa.PrivateKey) (*v1alpha1.IstioCertificateRequest, error) {
	uri, err := url.Parse(id.String())
	if err != nil {
		return nil, fmt.Errorf("identity %s as URI: %w", id, err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{uri}}, key)
	if err != nil {
		return nil, fmt.Errorf("make signing request for %s: %w", id, err)
	}
	csr := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return &v1alpha1.IstioCertificateRequest{
		Csr:              string(csr),
		ValidityDuration: int64(validity.Seconds()),
		Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			impersonated: structpb.NewStringValue(id.String()),
		}},
	}, nil
}
