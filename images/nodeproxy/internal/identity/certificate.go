// Package identity holds the certificates by which the pods of this node prove
// who they are, and checks those of their peers. Whether a proven identity may
// do something is package rbac's question.
package identity

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

// Certificate is one identity's key and chain, and the roots its peers must
// chain to. It does not change.
type Certificate struct {
	ID    spiffe.ID
	Chain []*x509.Certificate // leaf first
	Roots []*x509.Certificate
	key   crypto.PrivateKey
	pool  *x509.CertPool
}

// assemble reads a certificate authority's answer: leaf, intermediates, and
// last a bundle of one or more roots.
func assemble(id spiffe.ID, key crypto.PrivateKey, answer []string) (*Certificate, error) {
	if len(answer) < 2 {
		return nil, fmt.Errorf("certificate of %s: chain of %d parts", id, len(answer))
	}
	c := &Certificate{ID: id, key: key, pool: x509.NewCertPool()}
	for _, part := range answer[:len(answer)-1] {
		certs, err := parsePEM(part)
		if err != nil {
			return nil, fmt.Errorf("certificate of %s: %w", id, err)
		}
		c.Chain = append(c.Chain, certs...)
	}
	roots, err := parsePEM(answer[len(answer)-1])
	if err != nil {
		return nil, fmt.Errorf("roots for %s: %w", id, err)
	}
	c.Roots = roots
	for _, root := range roots {
		c.pool.AddCert(root)
	}
	if err := c.matches(id); err != nil {
		return nil, err
	}
	return c, nil
}

func parsePEM(text string) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate: %w", err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("no PEM block")
	}
	return certs, nil
}

// matches guards against an answer meant for someone else.
func (c *Certificate) matches(id spiffe.ID) error {
	got, err := spiffe.OfCertificate(c.Chain[0])
	if err != nil {
		return err
	}
	if got != id {
		return fmt.Errorf("certificate is for %s, asked for %s", got, id)
	}
	public, ok := c.Chain[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	signer, isSigner := c.key.(crypto.Signer)
	if !ok || !isSigner || !public.Equal(signer.Public()) {
		return fmt.Errorf("certificate of %s is for another key", id)
	}
	return nil
}

// Leaf is the certificate proper.
func (c *Certificate) Leaf() *x509.Certificate { return c.Chain[0] }

// validAt tells whether peers would accept it.
func (c *Certificate) validAt(now time.Time) bool {
	return now.Before(c.Leaf().NotAfter)
}

// halfLife is when to ask for the next one.
func (c *Certificate) halfLife() time.Time {
	life := c.Leaf().NotAfter.Sub(c.Leaf().NotBefore)
	return c.Leaf().NotBefore.Add(life / 2)
}

func (c *Certificate) tls() tls.Certificate {
	out := tls.Certificate{PrivateKey: c.key, Leaf: c.Leaf()}
	for _, cert := range c.Chain {
		out.Certificate = append(out.Certificate, cert.Raw)
	}
	return out
}
