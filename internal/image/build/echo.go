package build

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"time"

	"github.com/wayproof/wayproof/internal/image"
)

// Echo is the image that Gateway API's conformance suite calls echo-advanced:
// Istio's own echo, client and server. Only `wayproof compare` needs it and makes
// it; it is none of a cluster's images.
type Echo struct {
	Ref    string
	Layout string // OCI layout that holds it
}

// echoNames are the programs, compiled apart from the bill of materials' tools: etcd's
// program is called server as well.
var echoNames = [...]string{"client", "server"} //nolint:gochecknoglobals // a constant list

// Echo makes the image, tagged by the compiled programs.
func (b *Builder) Echo(ctx context.Context) (Echo, error) {
	dir, err := b.echoPrograms(ctx)
	if err != nil {
		return Echo{}, err
	}
	return b.echoImage(ctx, dir)
}

// echoPrograms compiles both at the version of Istio that the mesh is made of.
func (b *Builder) echoPrograms(ctx context.Context) (string, error) {
	const module = "images/upstream"
	key, err := b.sourceKey(module)
	if err != nil {
		return "", err
	}
	return b.Cache.Ensure(ctx, "bin", key+"-echo", func(ctx context.Context, dir string) error {
		return b.step("compile Istio's echo", func() error {
			args := []string{"-ldflags", "-s -w"}
			for _, name := range echoNames {
				args = append(args, "istio.io/istio/pkg/test/echo/cmd/"+name)
			}
			return b.goBuild(ctx, module, dir+"/", args...)
		})
	})
}

func (b *Builder) echoImage(ctx context.Context, programs string) (made Echo, err error) {
	parts := []string{tableVersion}
	files := names()
	for _, name := range echoNames {
		from := filepath.Join(programs, name)
		digest, err := image.FileDigest(from)
		if err != nil {
			return made, err
		}
		parts = append(parts, digest)
		files = append(files, image.File{Path: "/usr/local/bin/" + name, From: from, Mode: 0o755})
	}
	made.Ref = Hub + "/echo:" + image.Key(parts...)[:12]
	made.Layout, err = b.Cache.Ensure(ctx, "layout", image.Key(made.Ref, tableVersion), func(_ context.Context, dir string) error {
		pair, err := echoCertificate()
		if err != nil {
			return err
		}
		return image.WriteLayout(dir, []image.Spec{{
			Ref: made.Ref, Entrypoint: []string{"/usr/local/bin/server"}, User: "65532:65532", Env: []string{programPath},
			Files: append(files, pair...),
		}})
	})
	return made, err
}

// echoCertificate is what upstream's manifests have the server listen with.
// Nobody verifies it, and its key is in the image as it is in Istio's own: the
// mesh tests never call the port.
func echoCertificate() ([]image.File, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw echo's key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "echo"}, DNSNames: []string{"echo"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign echo's certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode echo's key: %w", err)
	}
	return []image.File{
		{Path: "/cert.crt", Mode: 0o644, Body: block("CERTIFICATE", certificate)},
		{Path: "/cert.key", Mode: 0o644, Body: block("PRIVATE KEY", private)},
	}, nil
}

func block(kind string, content []byte) []byte {
	var text bytes.Buffer
	_ = pem.Encode(&text, &pem.Block{Type: kind, Bytes: content}) // a buffer takes everything
	return text.Bytes()
}
