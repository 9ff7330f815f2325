package ads

import (
	"errors"
	"io"
)

// source and sink are the two halves of a gRPC stream of messages M.
type source[M any] interface{ Recv() (*M, error) }

type sink[M any] interface{ Send(*M) error }

// link joins Envoy's stream to pilot-agent's. A message is looked at (and may be changed) on its way,
// and at most one per direction is held at a time.
type link[Request, Response any] struct {
	envoy interface {
		source[Request]
		sink[Response]
	}
	agent interface {
		source[Response]
		sink[Request]
		CloseSend() error
	}
	onRequest  func(*Request)
	onResponse func(*Response)
}

// run relays until pilot-agent ends the stream or Envoy goes away. The result is pilot-agent's status,
// so that Envoy reconnects for the reason that pilot-agent had. The caller's context ends both streams,
// and with them the goroutine started here.
func (l link[Request, Response]) run() error {
	go func() {
		if err := pump(l.envoy, l.agent, l.onRequest); errors.Is(err, io.EOF) {
			// A half-closed stream; its failure shows in the other direction.
			_ = l.agent.CloseSend()
		}
	}()
	err := pump(l.agent, l.envoy, l.onResponse)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// pump moves messages until either side fails. Errors carry a gRPC status and stay as they are.
func pump[M any](from source[M], to sink[M], look func(*M)) error {
	for {
		message, err := from.Recv()
		if err != nil {
			return err
		}
		look(message)
		if err := to.Send(message); err != nil {
			return err
		}
	}
}
