package peer

import (
	"encoding/json"
	"fmt"
)

// Version is that of upstream's suite; it refuses a cluster with definitions of
// another one.
const Version = "v1.6.3"

// OrderVariable is the environment variable in which a compiled suite gets its
// Order.
const OrderVariable = "WAYPROOF_ORDER"

// Specs of the compiled suite.
const (
	SpecSetup   = "TestSetup"   // upstream's own: namespaces, Services, pods
	SpecProfile = "TestProfile" // the ordered tests
)

// Namespaces are upstream's.
const (
	Namespace = "gateway-conformance-mesh"          // the routes', the Services' and the clients'
	Consumer  = "gateway-conformance-mesh-consumer" // made by the setup, asked by no test of Profile
)

// Services of upstream's namespace, bound to the waypoint if that is used.
func Services() []string { return []string{"echo", "echo-v1", "echo-v2"} }

// Order is what a compiled suite is to do.
type Order struct {
	Kubeconfig string            `json:"kubeconfig,omitempty"`
	Context    string            `json:"context,omitempty"`
	Echo       string            `json:"echo,omitempty"`   // reference of the echo image; empty leaves upstream's
	Labels     map[string]string `json:"labels,omitempty"` // of upstream's namespaces
	Mutant     string            `json:"mutant,omitempty"` // its defect is made in the manifests
	Tests      []string          `json:"tests,omitempty"`
}

// Variable is the order as an entry of an environment.
func (o Order) Variable() (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("write the suite's order: %w", err)
	}
	return OrderVariable + "=" + string(text), nil
}

// ReadOrder reads it back.
func ReadOrder(value string) (Order, error) {
	var order Order
	if err := json.Unmarshal([]byte(value), &order); err != nil {
		return order, fmt.Errorf("read the suite's order from %s: %w", OrderVariable, err)
	}
	return order, nil
}
