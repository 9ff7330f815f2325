package admin

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
)

// State is one captured pod and its open connections.
type State struct {
	State       string      `json:"state"`
	Info        Info        `json:"info"`
	Connections Connections `json:"connections"`
}

// Info names the pod.
type Info struct {
	Name           string `json:"name"`
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

// Connections are what is open now.
type Connections struct {
	Inbound  []Connection `json:"inbound"`
	Outbound []Connection `json:"outbound"`
}

// Connection is one of them; OriginalDst is null where it is not known.
type Connection struct {
	Src         string  `json:"src"`
	OriginalDst *string `json:"originalDst"`
	ActualDst   string  `json:"actualDst"`
	Protocol    string  `json:"protocol"`
}

func (v View) states() map[string]State {
	open := v.connections()
	out := map[string]State{}
	for _, p := range v.Pods() {
		s := State{
			State:       "Pending",
			Info:        Info{Name: p.Pod.Name, Namespace: p.Pod.Namespace, ServiceAccount: p.Pod.ServiceAccount},
			Connections: Connections{Inbound: []Connection{}, Outbound: []Connection{}},
		}
		if p.Up {
			s.State = "Up"
		}
		if c, ok := open[p.Pod.UID]; ok {
			s.Connections = *c
		}
		out[p.Pod.UID] = s
	}
	return out
}

func (v View) connections() map[string]*Connections {
	out := map[string]*Connections{}
	for _, f := range v.Flows.Open() {
		c, ok := out[f.Facts.PodUID]
		if !ok {
			c = &Connections{Inbound: []Connection{}, Outbound: []Connection{}}
			out[f.Facts.PodUID] = c
		}
		if f.Facts.Direction == flow.Inbound {
			c.Inbound = append(c.Inbound, connection(f.Facts))
		} else {
			c.Outbound = append(c.Outbound, connection(f.Facts))
		}
	}
	return out
}

func connection(f flow.Facts) Connection {
	c := Connection{Src: f.Src.String(), ActualDst: f.ActualDst.String(), Protocol: f.Protocol()}
	if f.OriginalDst != "" {
		c.OriginalDst = &f.OriginalDst
	}
	return c
}

// Certificates are one identity's chain and roots.
type Certificates struct {
	Identity  string        `json:"identity"`
	State     string        `json:"state"`
	CertChain []Certificate `json:"certChain"`
	RootCerts []Certificate `json:"rootCerts"`
}

// Certificate is one of them; times are RFC 3339, the serial number decimal.
type Certificate struct {
	PEM            string `json:"pem"`
	SerialNumber   string `json:"serialNumber"`
	ValidFrom      string `json:"validFrom"`
	ExpirationTime string `json:"expirationTime"`
}

func certificates(s identity.Snapshot) Certificates {
	out := Certificates{
		Identity: s.ID.String(), State: "Available", CertChain: []Certificate{}, RootCerts: []Certificate{},
	}
	switch {
	case s.Cert != nil:
		out.CertChain, out.RootCerts = each(s.Cert.Chain, certificate), each(s.Cert.Roots, certificate)
	case s.Err != nil:
		out.State = "Unavailable: " + s.Err.Error()
	default:
		out.State = "Initializing"
	}
	return out
}

func certificate(c *x509.Certificate) Certificate {
	return Certificate{
		PEM:            string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		SerialNumber:   c.SerialNumber.String(),
		ValidFrom:      c.NotBefore.UTC().Format(time.RFC3339),
		ExpirationTime: c.NotAfter.UTC().Format(time.RFC3339),
	}
}
