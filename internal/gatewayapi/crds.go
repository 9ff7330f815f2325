// Package gatewayapi carries the Gateway API's custom resource definitions
// inside the binary, so that a cluster gets them where nothing can be
// downloaded: the files of the module sigs.k8s.io/gateway-api at the version in
// go.mod, both channels, unchanged. It holds no Go types of the API.
package gatewayapi

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the definitions
	"fmt"

	"github.com/wayproof/wayproof/internal/kube"
)

//go:generate go run ./generate

//go:embed standard.yaml.gz
var standard []byte

//go:embed experimental.yaml.gz
var experimental []byte

// Channel is a release channel of the Gateway API.
type Channel string

// The channels. Experimental has everything that Standard has, and fields such
// as the retry of an HTTPRoute.
const (
	Standard     Channel = "standard"
	Experimental Channel = "experimental"
)

// ParseChannel takes the empty string for Standard.
func ParseChannel(text string) (Channel, error) {
	switch Channel(text) {
	case "", Standard:
		return Standard, nil
	case Experimental:
		return Experimental, nil
	default:
		return "", fmt.Errorf("gateway api channel %q: there are %s and %s", text, Standard, Experimental)
	}
}

// Definitions are the channel's objects: custom resource definitions, and the
// admission policy that guards against a downgrade.
func Definitions(channel Channel) ([]kube.Manifest, error) {
	packed := standard
	if channel == Experimental {
		packed = experimental
	}
	stream, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack gateway api definitions: %w", err)
	}
	return kube.Decode("gateway-api-"+string(channel)+".yaml", stream)
}
