package identity_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

func cars() spiffe.ID   { return spiffe.New("", "travel", "cars") }
func hotels() spiffe.ID { return spiffe.New("", "travel", "hotels") }

func TestSign(t *testing.T) {
	ca := fakemesh.NewCA(t)
	cert := ca.Certificate(t, cars())
	assert.Equal(t, "spiffe://cluster.local/ns/travel/sa/cars", cert.Leaf().URIs[0].String())
	assert.Empty(t, cert.Leaf().Subject.CommonName)
	assert.Equal(t, []string{cars().String()}, ca.Issued())
	ca.SetFailing(errors.New("request impersonation authentication failure"))
	_, err := ca.Authority(t).Sign(t.Context(), cars())
	require.ErrorContains(t, err, "impersonation")
}

func running(t *testing.T, signer identity.Signer) *identity.Cache {
	t.Helper()
	c := identity.NewCache(signer, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	return c
}

func TestOneCertificatePerIdentity(t *testing.T) {
	ca := fakemesh.NewCA(t)
	c := running(t, ca.Authority(t))
	results := make(chan *identity.Certificate, 50)
	for range cap(results) {
		go func() {
			cert, err := c.Get(t.Context(), cars())
			assert.NoError(t, err)
			results <- cert
		}()
	}
	first := <-results
	for range cap(results) - 1 {
		assert.Same(t, first, <-results)
	}
	_, err := c.Get(t.Context(), hotels())
	require.NoError(t, err)
	assert.Len(t, ca.Issued(), 2)
}

func TestRenewedAtHalfLife(t *testing.T) {
	ca := fakemesh.NewCA(t)
	ca.SetLifetime(1500 * time.Millisecond)
	c := running(t, ca.Authority(t))
	first, err := c.Get(t.Context(), cars())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		now, err := c.Get(t.Context(), cars())
		return err == nil && now != first
	}, 5*time.Second, 20*time.Millisecond)
	assert.True(t, time.Now().Before(first.Leaf().NotAfter.Add(time.Second)), "before or around expiry, not long after")
}

func TestOldOneServesWhileRenewalFails(t *testing.T) {
	ca := fakemesh.NewCA(t)
	ca.SetLifetime(3 * time.Second)
	c := running(t, ca.Authority(t))
	first, err := c.Get(t.Context(), cars())
	require.NoError(t, err)
	ca.SetFailing(errors.New("out of order"))
	require.Eventually(t, func() bool { return c.Snapshots()[0].Err != nil }, 10*time.Second, 20*time.Millisecond)
	still, err := c.Get(t.Context(), cars())
	require.NoError(t, err)
	assert.Same(t, first, still)
	ca.SetLifetime(time.Hour)
	ca.SetFailing(nil)
	require.Eventually(t, func() bool {
		now, err := c.Get(t.Context(), cars())
		return err == nil && now != first
	}, 10*time.Second, 20*time.Millisecond)
}

// A certificate for someone else, or for a key that is not here, is neither
// handed out nor put in the place of a good one.
func TestCertificateForSomethingElseIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		mistake fakemesh.Mistake
		says    string
	}{
		"another identity": {fakemesh.AnotherIdentity, "asked for"},
		"another key":      {fakemesh.AnotherKey, "another key"},
	} {
		t.Run(name, func(t *testing.T) {
			ca := fakemesh.NewCA(t)
			ca.SetMistaken(c.mistake)
			cert, err := ca.Authority(t).Sign(t.Context(), cars())
			require.ErrorContains(t, err, c.says)
			require.Nil(t, cert)

			ca.SetMistaken(fakemesh.NoMistake)
			ca.SetLifetime(3 * time.Second)
			cache := running(t, ca.Authority(t))
			first, err := cache.Get(t.Context(), cars())
			require.NoError(t, err)
			ca.SetMistaken(c.mistake)
			require.Eventually(t, func() bool { return cache.Snapshots()[0].Err != nil }, 10*time.Second, 5*time.Millisecond)
			assert.Same(t, first, cache.Snapshots()[0].Cert)
		})
	}
}

func TestExpiredOneIsNotHandedOut(t *testing.T) {
	ca := fakemesh.NewCA(t)
	ca.SetLifetime(-time.Second)
	c := running(t, ca.Authority(t))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, cars())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestFailureIsTold(t *testing.T) {
	ca := fakemesh.NewCA(t)
	ca.SetFailing(errors.New("impersonation authentication failure"))
	c := running(t, ca.Authority(t))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, cars())
	require.ErrorContains(t, err, "impersonation authentication failure")
}

func TestRetain(t *testing.T) {
	ca := fakemesh.NewCA(t)
	c := running(t, ca.Authority(t))
	c.Retain(t.Context(), map[spiffe.ID]bool{cars(): true, hotels(): false})
	require.Eventually(t, func() bool { return slices.Equal(ca.Issued(), []string{cars().String()}) }, 5*time.Second, time.Millisecond)
	_, err := c.Get(t.Context(), hotels())
	require.NoError(t, err)
	c.Retain(t.Context(), map[spiffe.ID]bool{hotels(): false})
	snapshots := c.Snapshots()
	require.Len(t, snapshots, 1)
	assert.Equal(t, hotels(), snapshots[0].ID)
}

// slow counts how many requests are under way.
type slow struct {
	now, most atomic.Int32
	release   chan struct{}
}

func (s *slow) Sign(ctx context.Context, _ spiffe.ID) (*identity.Certificate, error) {
	if n := s.now.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	select {
	case <-s.release:
	case <-ctx.Done():
	}
	return nil, errors.New("no certificate")
}

func TestAtMostEightAtATime(t *testing.T) {
	s := &slow{release: make(chan struct{})}
	c := running(t, s)
	wanted := map[spiffe.ID]bool{}
	for i := range 40 {
		wanted[spiffe.New("", "ns", string(rune('a'+i)))] = true
	}
	c.Retain(t.Context(), wanted)
	require.Eventually(t, func() bool { return s.now.Load() == 8 }, 5*time.Second, time.Millisecond)
	close(s.release)
	assert.LessOrEqual(t, s.most.Load(), int32(8))
}

// shake runs a handshake over loopback and returns both sides' errors.
func shake(t *testing.T, client, server *tls.Config) (clientErr, serverErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		done <- tls.Server(conn, server).HandshakeContext(t.Context())
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	clientErr = tls.Client(conn, client).HandshakeContext(t.Context())
	return clientErr, <-done
}

func TestPeersAreVerified(t *testing.T) {
	ca, stranger := fakemesh.NewCA(t), fakemesh.NewCA(t)
	mine, peer := ca.Certificate(t, cars()), ca.Certificate(t, hotels())
	foreign := ca.Certificate(t, spiffe.New("other.domain", "travel", "cars"))
	unknown := stranger.Certificate(t, cars())
	ca.SetLifetime(-time.Second)
	expired := ca.Certificate(t, cars())
	right := []string{"spiffe://cluster.local/ns/x/sa/x", hotels().String()}

	wrongProtocol := mine.Client(right)
	wrongProtocol.NextProtos = []string{"http/1.1"}
	noProtocol := mine.Client(right)
	noProtocol.NextProtos = nil
	old := mine.Client(right)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	intruder := mine.Client(right)
	intruder.Certificates = unknown.Client(nil).Certificates
	nobody := mine.Client(right)
	nobody.Certificates = nil

	for name, c := range map[string]struct {
		client        *tls.Config
		server        *identity.Certificate
		clientRefuses string
		serverRefuses bool
	}{
		"both are who they should be": {mine.Client(right), peer, "", false},
		"server is someone else":      {mine.Client([]string{cars().String()}), peer, "expected one of", true},
		"nobody is expected":          {mine.Client(nil), peer, "expected one of", true},
		"server of another authority": {mine.Client([]string{cars().String()}), unknown, "verify peer", true},
		"server has expired":          {mine.Client([]string{cars().String()}), expired, "expired", true},
		"client of another authority": {intruder, peer, "", true},
		"client has expired":          {expired.Client(right), peer, "", true},
		"client of another domain":    {foreign.Client(right), peer, "", true},
		"client without certificate":  {nobody, peer, "", true},
		"client of another protocol":  {wrongProtocol, peer, "does not speak h2", true},
		"client without protocol":     {noProtocol, peer, "does not speak h2", true},
		"client with TLS 1.2":         {old, peer, "protocol version", true},
	} {
		t.Run(name, func(t *testing.T) {
			clientErr, serverErr := shake(t, c.client, c.server.Server())
			if c.clientRefuses != "" {
				require.ErrorContains(t, clientErr, c.clientRefuses)
			}
			assert.Equal(t, c.serverRefuses, serverErr != nil, "server: %v", serverErr)
		})
	}
}
