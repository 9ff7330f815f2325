package acceptance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	clusters  = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	listeners = "type.googleapis.com/envoy.config.listener.v3.Listener"
)

func delta(kind, nonce string, names ...string) Response {
	return Response{Type: kind, Nonce: nonce, Names: names}
}

func ack(kind, nonce string) Answer { return Answer{Type: kind, Nonce: nonce} }

func nack(kind, nonce, reason string) Answer {
	return Answer{Type: kind, Nonce: nonce, Rejected: true, Reason: reason}
}

func exchange(s *Stream, response Response, answer Answer) Outcome {
	s.Sent(response)
	return s.Received(answer)
}

func names(rejections []Rejection) []string {
	found := []string{}
	for _, rejection := range rejections {
		found = append(found, rejection.Name)
	}
	return found
}

func TestRejectionStandsUntilThatResourceIsAccepted(t *testing.T) {
	ledger := NewLedger()
	stream := ledger.Open()
	outcome := exchange(stream, delta(clusters, "1", "a", "b", "a_2"), nack(clusters, "1", "Error adding/updating cluster(s) a: no such filter"))
	assert.Equal(t, []string{"a"}, names(outcome.Rejected))
	require.Equal(t, []string{"a"}, names(ledger.Standing()))
	assert.Equal(t, "Cluster a: Error adding/updating cluster(s) a: no such filter", ledger.Standing()[0].String())

	assert.False(t, exchange(stream, delta(clusters, "2", "b"), ack(clusters, "2")).Settled)
	assert.False(t, exchange(stream, delta(listeners, "3", "a"), ack(listeners, "3")).Settled)
	assert.Len(t, ledger.Standing(), 1, "another resource or type settles nothing")

	assert.True(t, exchange(stream, delta(clusters, "4", "a"), ack(clusters, "4")).Settled)
	assert.Empty(t, ledger.Standing())
}

func TestRejectionSettlesInOtherWays(t *testing.T) {
	for name, settle := range map[string]func(*Ledger, *Stream) Outcome{
		"removed": func(_ *Ledger, s *Stream) Outcome { // a removal is named like a change
			return exchange(s, delta(clusters, "2", "a"), ack(clusters, "2"))
		},
		"unsubscribed": func(_ *Ledger, s *Stream) Outcome {
			return s.Received(Answer{Type: clusters, Unsubscribed: []string{"a"}})
		},
		"accepted on a new stream that no longer has it": func(l *Ledger, _ *Stream) Outcome {
			return exchange(l.Open(), delta(clusters, "1", "b"), ack(clusters, "1"))
		},
		"whole state accepted": func(_ *Ledger, s *Stream) Outcome {
			return exchange(s, Response{Type: clusters, Nonce: "2", Whole: true}, ack(clusters, "2"))
		},
	} {
		ledger := NewLedger()
		stream := ledger.Open()
		exchange(stream, delta(clusters, "1", "a"), nack(clusters, "1", "cluster a is bad"))
		require.Len(t, ledger.Standing(), 1)
		assert.True(t, settle(ledger, stream).Settled, name)
		assert.Empty(t, ledger.Standing(), name)
	}
}

func TestReasonWithoutANameIsSettledByTheNextAcceptedUpdate(t *testing.T) {
	ledger := NewLedger()
	stream := ledger.Open()
	outcome := exchange(stream, delta(clusters, "1", "a"), nack(clusters, "1", ""))
	assert.Equal(t, "envoy gave no reason", outcome.Rejected[0].Reason)
	assert.Equal(t, "Cluster: envoy gave no reason", ledger.Standing()[0].String())
	assert.True(t, exchange(stream, delta(clusters, "2", "b"), ack(clusters, "2")).Settled)
}

func TestSeveralRejections(t *testing.T) {
	ledger := NewLedger()
	stream := ledger.Open()
	exchange(stream, delta(clusters, "1", "a", "b"), nack(clusters, "1", "a: bad, b: bad"))
	exchange(stream, delta(listeners, "2", "l"), nack(listeners, "2", "listener\n l: bad"))
	assert.Equal(t, []string{"a", "b", "l"}, names(ledger.Standing()))
	assert.Contains(t, Describe(ledger.Standing()), "(3):\nCluster a: a: bad, b: bad\n")
	assert.Contains(t, Describe(ledger.Standing()), "Listener l: listener l: bad\n")

	exchange(stream, delta(clusters, "3", "a", "b"), nack(clusters, "3", "b: still bad"))
	assert.Equal(t, []string{"b", "l"}, names(ledger.Standing()), "a was accepted beside b")
}

func TestOnlyTheFirstRequestWithANonceAnswers(t *testing.T) {
	ledger := NewLedger()
	stream := ledger.Open()
	whole := Response{Type: clusters, Nonce: "1", Whole: true}
	exchange(stream, whole, nack(clusters, "1", "bad"))
	assert.False(t, stream.Received(ack(clusters, "1")).Settled, "a change of subscription repeats the last nonce")
	assert.False(t, stream.Received(ack(clusters, "")).Settled)
	assert.False(t, ledger.Open().Received(ack(clusters, "1")).Settled, "nonces belong to a stream")
	assert.Len(t, ledger.Standing(), 1)
}

func TestNamesAreMatchedAsWords(t *testing.T) {
	assert.Equal(t, []string{"main_internal"}, named([]string{"main", "main_internal", "internal"}, "listener main_internal: bad"))
	assert.Equal(t, []string{"0.0.0.0_80"}, named([]string{"0.0.0.0_80", "0.0.0.0_8080"}, "listener(s) 0.0.0.0_80: bad"))
	assert.Equal(t, []string{"x"}, named([]string{"x"}, "xx then x"))
}
