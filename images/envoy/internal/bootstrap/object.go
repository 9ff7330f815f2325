package bootstrap

import (
	"fmt"
	"net"
	"strings"
)

// object is a decoded JSON object of a protobuf message. Reading from a missing object gives nothing,
// so that a path through the file needs no check at each step.
type object map[string]any

// key is the spelling of a field in this object: protobuf's JSON allows snake_case and camelCase.
func (o object) key(name string) string {
	if _, ok := o[name]; ok {
		return name
	}
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	if camel := strings.Join(words, ""); o[camel] != nil {
		return camel
	}
	return name
}

func (o object) set(name string, value any) { o[o.key(name)] = value }
func (o object) object(name string) object  { return asObject(o[o.key(name)]) }
func (o object) list(name string) []any     { l, _ := o[o.key(name)].([]any); return l }
func (o object) text(name string) string    { s, _ := o[o.key(name)].(string); return s }
func (o object) first(name string) object {
	if list := o.list(name); len(list) > 0 {
		return asObject(list[0])
	}
	return nil
}

func asObject(value any) object {
	switch v := value.(type) {
	case object:
		return v
	case map[string]any:
		return v
	}
	return nil
}

// redirect lets the static cluster name connect to the unix socket at path and returns the address it
// had. Istio's bootstrap gives each of these clusters exactly one endpoint.
func redirect(file object, name, path string) (object, error) {
	cluster := staticCluster(file, name)
	endpoint := cluster.object("load_assignment").first("endpoints").first("lb_endpoints").object("endpoint")
	if endpoint == nil {
		return nil, fmt.Errorf("bootstrap has no endpoint for the static cluster %q", name)
	}
	previous := endpoint.object("address")
	endpoint.set("address", object{"pipe": object{"path": path}})
	return previous, nil
}

func staticCluster(file object, name string) object {
	for _, candidate := range file.object("static_resources").list("clusters") {
		if cluster := asObject(candidate); cluster.text("name") == name {
			return cluster
		}
	}
	return nil
}

func pipePath(address object) (string, error) {
	path := address.object("pipe").text("path")
	if path == "" {
		return "", fmt.Errorf("bootstrap cluster %q is not reached by a unix socket", discoveryCluster)
	}
	return path, nil
}

func hostPort(address object) (string, error) {
	socket := address.object("socket_address")
	port := socket[socket.key("port_value")]
	host := socket.text("address")
	if host == "" || port == nil {
		return "", fmt.Errorf("bootstrap cluster %q has no host and port", agentCluster)
	}
	return net.JoinHostPort(host, fmt.Sprint(port)), nil
}
