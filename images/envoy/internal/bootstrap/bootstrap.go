// Package bootstrap adapts the bootstrap file that pilot-agent writes for Istio's build of Envoy. It
// knows the few places that the adapter has to change and leaves the rest as it finds it; it does not
// validate the file, Envoy does.
package bootstrap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/wayproof/wayproof/images/envoy/internal/rewrite"
)

// Names of the two static clusters in Istio's bootstrap that the adapter takes the place of.
const (
	discoveryCluster = "xds-grpc"
	agentCluster     = "agent"
)

// Sockets are the unix sockets of the adapter that Envoy shall use.
type Sockets struct {
	// Discovery answers the aggregated discovery service, in pilot-agent's place.
	Discovery string
	// Readiness answers what Envoy's status listener forwards to pilot-agent's status port.
	Readiness string
}

// Upstreams are the addresses that the file named before, where the adapter passes things on to.
type Upstreams struct {
	// Discovery is the path of pilot-agent's discovery socket.
	Discovery string
	// Agent is host:port of pilot-agent's status server.
	Agent string
}

// Adapted is a rewritten bootstrap.
type Adapted struct {
	// JSON is the new file.
	JSON      []byte
	Upstreams Upstreams
	// Dropped are the types of the bootstrap extensions that were removed.
	Dropped []string
}

// Adapt rewrites a bootstrap in JSON or YAML: extensions of Istio's are dropped, and the discovery and
// agent clusters point to the adapter's sockets. A file without these clusters is an error, because
// then configuration or readiness would bypass the adapter.
func Adapt(raw []byte, sockets Sockets) (Adapted, error) {
	file, err := decode(raw)
	if err != nil {
		return Adapted{}, err
	}
	result := Adapted{Dropped: dropExtensions(file)}
	previous, err := redirect(file, discoveryCluster, sockets.Discovery)
	if err != nil {
		return Adapted{}, err
	}
	if result.Upstreams.Discovery, err = pipePath(previous); err != nil {
		return Adapted{}, err
	}
	if previous, err = redirect(file, agentCluster, sockets.Readiness); err != nil {
		return Adapted{}, err
	}
	if result.Upstreams.Agent, err = hostPort(previous); err != nil {
		return Adapted{}, err
	}
	result.JSON, err = encode(file)
	return result, err
}

// decode reads JSON with its numbers as written. pilot-agent's template is not always strict JSON (a
// comma too many with the PROXY protocol on), and a custom bootstrap may be YAML: both are read as YAML.
func decode(raw []byte) (object, error) {
	file, strictErr := decodeJSON(raw)
	if strictErr == nil {
		return file, nil
	}
	converted, err := yaml.YAMLToJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("parse bootstrap as json or yaml: %w", errors.Join(strictErr, err))
	}
	if file, err = decodeJSON(converted); err != nil {
		return nil, fmt.Errorf("parse bootstrap: %w", err)
	}
	return file, nil
}

func decodeJSON(raw []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var file object
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("parse json: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("parse json: more than one document")
	}
	if file == nil {
		return nil, errors.New("parse json: no object")
	}
	return file, nil
}

func encode(file object) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(file); err != nil {
		return nil, fmt.Errorf("encode bootstrap: %w", err)
	}
	return out.Bytes(), nil
}

func dropExtensions(file object) []string {
	var dropped []string
	kept := []any{}
	for _, extension := range file.list("bootstrap_extensions") {
		if name := extensionType(asObject(extension)); rewrite.ForeignType(name) {
			dropped = append(dropped, name)
			continue
		}
		kept = append(kept, extension)
	}
	if dropped != nil {
		file.set("bootstrap_extensions", kept)
	}
	return dropped
}

// extensionType is the type of an extension, the inner one where it is given as a TypedStruct.
func extensionType(extension object) string {
	config := extension.object("typed_config")
	if inner := config.text("type_url"); inner != "" {
		return inner
	}
	return config.text("@type")
}
