// Package hbone carries TCP connections as HTTP/2 CONNECT streams over mutual
// TLS. It pools the client's connections and serves the server's; where a
// stream may go is decided by packages outbound and inbound.
package hbone

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

var errAborted = errors.New("tunnel was given up")

// clientStream is the dialling side of one tunnel.
type clientStream struct {
	download io.ReadCloser
	upload   *io.PipeWriter
	cancel   context.CancelFunc
}

func (s *clientStream) Read(p []byte) (int, error)  { return s.download.Read(p) }
func (s *clientStream) Write(p []byte) (int, error) { return s.upload.Write(p) }

// CloseWrite ends the stream's upload and leaves its download open.
func (s *clientStream) CloseWrite() error { return s.upload.Close() }

// Close ends what is left of the stream. After both halves have ended it has
// nothing to do.
func (s *clientStream) Close() error {
	_ = s.upload.CloseWithError(errAborted) // never fails
	s.cancel()
	return s.download.Close()
}

// serverStream is the accepting side. The HTTP/2 server of Go ends a stream's
// download only when its handler returns, which ends the upload too: see
// CloseWrite.
type serverStream struct {
	upload   io.ReadCloser
	writer   http.ResponseWriter
	flusher  *http.ResponseController
	finished atomic.Bool
}

func newServerStream(w http.ResponseWriter, r *http.Request) *serverStream {
	return &serverStream{upload: r.Body, writer: w, flusher: http.NewResponseController(w)}
}

func (s *serverStream) Read(p []byte) (int, error) {
	n, err := s.upload.Read(p)
	if err != nil && s.finished.Load() {
		return n, io.EOF
	}
	return n, err
}

// Write flushes, or protocols in which the server speaks first would stall.
func (s *serverStream) Write(p []byte) (int, error) {
	n, err := s.writer.Write(p)
	if err != nil {
		return n, err
	}
	return n, s.flusher.Flush()
}

// CloseWrite ends the upload as well, so that the handler returns and the peer
// learns of the end.
func (s *serverStream) CloseWrite() error {
	s.finished.Store(true)
	return s.upload.Close()
}

// Close cuts the stream. A download that has not ended may be stuck in Write,
// since the peer does not read: only a deadline frees it, by resetting the
// stream.
func (s *serverStream) Close() error {
	ended := s.finished.Load()
	err := s.CloseWrite()
	if !ended {
		err = errors.Join(err, s.flusher.SetWriteDeadline(time.Unix(1, 0)))
	}
	return err
}
