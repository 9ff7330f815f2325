package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// alpn is the only protocol HBONE runs over.
const alpn = "h2"

// Client is the TLS side of dialling a peer that must prove one of the given
// URIs. No server name is sent: pods have identities, not names.
func (c *Certificate) Client(expected []string) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{alpn},
		Certificates:           []tls.Certificate{c.tls()},
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // VerifyConnection checks chain and identity
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf, err := c.chained(state, x509.ExtKeyUsageServerAuth)
			if err != nil {
				return err
			}
			return provesOneOf(leaf, expected)
		},
	}
}

// Server is the TLS side of accepting a peer of the same trust domain.
func (c *Certificate) Server() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{alpn},
		Certificates:           []tls.Certificate{c.tls()},
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequireAnyClientCert, // VerifyConnection checks it
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf, err := c.chained(state, x509.ExtKeyUsageClientAuth)
			if err != nil {
				return err
			}
			return sameDomain(leaf, c.ID.TrustDomain)
		},
	}
}

// chained verifies the peer's chain up to the mesh's roots.
func (c *Certificate) chained(state tls.ConnectionState, usage x509.ExtKeyUsage) (*x509.Certificate, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, errors.New("peer shows no certificate")
	}
	if state.NegotiatedProtocol != alpn {
		return nil, fmt.Errorf("peer does not speak %s", alpn)
	}
	options := x509.VerifyOptions{
		Roots: c.pool, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{usage},
	}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	leaf := state.PeerCertificates[0]
	if _, err := leaf.Verify(options); err != nil {
		return nil, fmt.Errorf("verify peer: %w", err)
	}
	return leaf, nil
}

func provesOneOf(leaf *x509.Certificate, expected []string) error {
	var names []string
	for _, uri := range leaf.URIs {
		names = append(names, uri.String())
		if slices.Contains(expected, uri.String()) {
			return nil
		}
	}
	return fmt.Errorf("peer is %q, expected one of %q", names, expected)
}

func sameDomain(leaf *x509.Certificate, domain string) error {
	id, err := spiffe.OfCertificate(leaf)
	if err != nil {
		return err
	}
	if id.TrustDomain != domain {
		return fmt.Errorf("peer %s is of another trust domain than %s", id, domain)
	}
	return nil
}
