package hbone_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/hbone"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/spiffe"
)

func TestWrongPeers(t *testing.T) {
	s := newSite(t, echo)
	s.hop.Expected = []string{"spiffe://cluster.local/ns/ns/sa/another"}
	_, err := s.tunnel(t)
	require.ErrorContains(t, err, "expected one of")

	s = newSite(t, echo)
	s.ca.SetLifetime(-time.Second)
	s.server.Store(s.ca.Certificate(t, spiffe.New("", "ns", "server")))
	_, err = s.tunnel(t)
	require.ErrorContains(t, err, "expired")

	s = newSite(t, echo)
	s.ca.SetLifetime(-time.Second)
	s.client = s.ca.Certificate(t, spiffe.New("", "ns", "client"))
	_, err = s.tunnel(t)
	require.Error(t, err, "the server refuses an expired client")
	assert.Empty(t, s.gate.calls)
}

func TestRefusal(t *testing.T) {
	s := newSite(t, echo)
	s.gate.refuse = http.StatusUnauthorized
	_, err := s.tunnel(t)
	var refused *hbone.Refused
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusUnauthorized, refused.Status)
}

// raw speaks HTTP/2 that the pool would never speak.
func (s *site) raw(t *testing.T, method, host string) int {
	t.Helper()
	conn, err := tls.Dial("tcp", s.hop.Addr.String(), s.client.Client(s.hop.Expected))
	require.NoError(t, err)
	defer conn.Close()
	cc, err := (&http2.Transport{}).NewClientConn(conn)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+host, http.NoBody)
	require.NoError(t, err)
	if method == http.MethodConnect {
		r.URL.Path = ""
	}
	response, err := cc.RoundTrip(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

func TestWrongRequests(t *testing.T) {
	s := newSite(t, echo)
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodGet, "10.0.0.1:80"))
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodConnect, "host.name:80"))
	assert.Equal(t, http.StatusBadRequest, s.raw(t, http.MethodConnect, "10.0.0.1"))
	assert.Empty(t, s.gate.calls)
	assert.Equal(t, []string{
		"method GET, want CONNECT", `authority "host.name:80" is not an address and a port`,
		`authority "10.0.0.1" is not an address and a port`,
	}, s.gate.refused, "each is told once")
}

// A peer that connects and says nothing is hung up on.
func TestHalfOpenPeers(t *testing.T) {
	s := newSite(t, echo)
	conn, err := net.Dial("tcp", s.hop.Addr.String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
