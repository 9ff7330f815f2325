package main

import (
	"io"
	"testing"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/fakemesh"
)

// What one request and answer on a kept connection cost without a proxy, with
// the plain side of one, and through a tunnel between two captured pods.
func BenchmarkRoundTrip(b *testing.B) {
	s := newStage(b)
	client, server := s.captured(b, "client"), s.captured(b, "server")
	outside, direct := s.node.Pod(b, false), s.node.Pod(b, false)
	application(b, server, 8080)
	application(b, direct, 8080)
	for _, c := range []struct {
		name     string
		from, to *fakemesh.Pod
	}{{"direct", outside, direct}, {"plain", outside, server}, {"tunnel", client, server}} {
		b.Run(c.name, func(b *testing.B) {
			conn, _ := mustCall(b, c.from, c.to.IP+":8080")
			message := make([]byte, 200)
			for b.Loop() {
				if _, err := conn.Write(message); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(conn, message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a new connection costs, its tunnel's stream included.
func BenchmarkConnect(b *testing.B) {
	s := newStage(b)
	client, server := s.captured(b, "client"), s.captured(b, "server")
	application(b, server, 8080)
	mustCall(b, client, server.IP+":8080")
	for b.Loop() {
		conn, _, err := call(b.Context(), client, server.IP+":8080")
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.Close()
	}
}
