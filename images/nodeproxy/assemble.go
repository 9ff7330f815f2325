package main

import (
	crand "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/admin"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/balance"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/config"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/flow"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/identity"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/istiod"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/netns"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/outbound"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/pod"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/rbac"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/state"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/xds"
	"github.com/wayproof/wayproof/images/nodeproxy/internal/zds"
)

// proxy is the assembled program.
type proxy struct {
	cfg      config.Config
	log      *slog.Logger
	mesh     pod.Mesh
	pods     *pod.Manager
	xds      *xds.Client
	zds      *zds.Client
	admin    *admin.Admin
	registry *prometheus.Registry
	upstream []*grpc.ClientConn
}

func assemble(cfg config.Config, log *slog.Logger, level *slog.LevelVar, quit func()) (*proxy, error) {
	registry, flows, err := books(log)
	if err != nil {
		return nil, err
	}
	p := &proxy{cfg: cfg, log: log, registry: registry}
	if err := p.connect(flows); err != nil {
		return nil, err
	}
	p.pods = pod.NewManager(&pod.Starter{Node: nodeOf(cfg), Mesh: p.mesh}, log)
	p.zds = &zds.Client{Path: cfg.Plane.ZDSSocket, Handler: p.pods, Log: log}
	p.admin = &admin.Admin{Level: level, Quit: quit, View: admin.View{
		Store: p.mesh.Store, Policies: p.mesh.Policies, Identities: p.mesh.Identities,
		Flows: flows, Pods: p.pods.Pods, Version: self(),
	}}
	return p, nil
}

func books(log *slog.Logger) (*prometheus.Registry, *flow.Tracker, error) {
	registry := prometheus.NewRegistry()
	metrics, err := flow.NewMetrics(registry)
	if err != nil {
		return nil, nil, err
	}
	processes := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), processes} {
		if err := registry.Register(c); err != nil {
			return nil, nil, fmt.Errorf("register process metrics: %w", err)
		}
	}
	return registry, flow.NewTracker(metrics, log), nil
}

// connect prepares the two connections to the control plane and what feeds on
// them.
func (p *proxy) connect(flows *flow.Tracker) error {
	configuration, err := p.dial(p.cfg.Plane.XDSAddress)
	if err != nil {
		return err
	}
	authority, err := p.dial(p.cfg.Plane.CAAddress)
	if err != nil {
		return err
	}
	node, err := p.cfg.Self.XDSNode()
	if err != nil {
		return err
	}
	rng, err := newRandom()
	if err != nil {
		return err
	}
	store, policies := state.New(), rbac.NewTable()
	p.xds = xds.NewClient(configuration, node, p.log, xds.Addresses(store), xds.Authorizations(policies))
	p.mesh = pod.Mesh{
		Store: store, Policies: policies, Flows: flows, Log: p.log,
		Identities: identity.NewCache(identity.NewAuthority(authority), p.log),
		Router: &outbound.Router{
			Store: store, Network: p.cfg.Self.Network,
			Balancer: balance.New(store, &net.Resolver{PreferGo: true}, rng),
		},
	}
	return nil
}

func (p *proxy) dial(address string) (*grpc.ClientConn, error) {
	conn, err := istiod.Dial(istiod.Endpoint{
		Address: address, RootFile: p.cfg.Plane.RootFile, TokenFile: p.cfg.Plane.TokenFile,
		ClusterID: p.cfg.Self.ClusterID,
	})
	if err != nil {
		return nil, err
	}
	p.upstream = append(p.upstream, conn)
	return conn, nil
}

// newRandom needs no reproducibility, but no predictability either.
func newRandom() (*rand.Rand, error) {
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("seed random numbers: %w", err)
	}
	return rand.New(rand.NewChaCha8(seed)), nil
}

func nodeOf(cfg config.Config) pod.Node {
	keep := cfg.KeepSource != nil && *cfg.KeepSource
	if cfg.KeepSource == nil {
		keep = netns.CanSpoof()
	}
	return pod.Node{
		Name: cfg.Self.Node, Network: cfg.Self.Network, ClusterID: cfg.Self.ClusterID,
		Ports: pod.DefaultPorts(), Shareable: cfg.PortReuse, KeepSource: keep,
	}
}
