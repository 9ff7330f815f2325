package ads

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/proto"
)

// recordable is a discovery response of either protocol.
type recordable interface {
	proto.Message
	GetNonce() string
}

// Recorder writes each response as it came from pilot-agent into a file of its own, named
// NNNN-<Type>-<Message>.binpb, in protobuf's wire format: the nested types of Istio's that no reader
// here knows survive in it. Secrets are never recorded.
type Recorder struct {
	dir   string
	count atomic.Int64
}

// NewRecorder records into dir and makes it if need be.
func NewRecorder(dir string) (*Recorder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make recording directory: %w", err)
	}
	return &Recorder{dir: dir}, nil
}

func (r *Recorder) write(typeURL string, response recordable) error {
	kind := typeURL[strings.LastIndexAny(typeURL, "./")+1:]
	if kind == "Secret" {
		return nil
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(response)
	if err != nil {
		return fmt.Errorf("encode %s response for recording: %w", kind, err)
	}
	name := fmt.Sprintf("%04d-%s-%s.binpb", r.count.Add(1), kind, response.ProtoReflect().Descriptor().Name())
	if err := os.WriteFile(filepath.Join(r.dir, name), raw, 0o600); err != nil {
		return fmt.Errorf("record %s response: %w", kind, err)
	}
	return nil
}
