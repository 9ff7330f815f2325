// Command flanneld keeps a node on the pod network: a route to every other
// node's pod range by flannel's own subnet manager and host-gw backend, the
// rules that let pods reach the outside, and the CNI configuration for its own
// range.
//
// flannel's published main links every cloud back end, one of which no module
// proxy can be counted on to serve, so this main wires host-gw and nothing
// else. A daemon (rather than routes written once) is what brings pod traffic
// between nodes back after a node restarts with another address.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw" // registers host-gw
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
)

// resyncSeconds is how often the outbound rules are looked after.
const resyncSeconds = 30

type options struct {
	netConf, iface, cniDir string
}

func main() {
	var opts options
	flag.StringVar(&opts.netConf, "net-config-path", "/etc/kube-flannel/net-conf.json", "network configuration")
	flag.StringVar(&opts.iface, "iface", "eth0", "interface whose address the other nodes route to")
	flag.StringVar(&opts.cniDir, "cni-conf-dir", "/etc/cni/net.d", "where the node's CNI configuration is written")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, "flanneld:", err)
		os.Exit(1)
	}
}

// run registers this node's pod range and then follows the other nodes' until
// ctx ends.
func run(ctx context.Context, opts options) error {
	if err := useControlPlane(os.Getenv("CONTROL_PLANE_ENDPOINT")); err != nil {
		return err
	}
	subnets, err := kube.NewSubnetManager(ctx, "", "", "flannel.alpha.coreos.com", opts.netConf, false)
	if err != nil {
		return fmt.Errorf("watch the nodes' pod ranges: %w", err)
	}
	config, err := subnets.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("read %s: %w", opts.netConf, err)
	}
	var running sync.WaitGroup
	network, err := register(ctx, &running, subnets, config, opts.iface)
	if err != nil {
		return err
	}
	if err := masquerade(ctx, config, network); err != nil {
		return err
	}
	if err := writeConflist(opts.cniDir, network.Lease().Subnet.String(), network.MTU()); err != nil {
		return err
	}
	network.Run(ctx)
	running.Wait()
	return nil
}

// useControlPlane points the in-cluster client straight at the API server:
// this daemon starts before kube-proxy has written the service rules.
func useControlPlane(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return fmt.Errorf("CONTROL_PLANE_ENDPOINT %q: %w", endpoint, err)
	}
	if err := os.Setenv("KUBERNETES_SERVICE_HOST", host); err != nil {
		return fmt.Errorf("set the API server's host: %w", err)
	}
	return os.Setenv("KUBERNETES_SERVICE_PORT", port)
}

func register(ctx context.Context, running *sync.WaitGroup, subnets subnet.Manager, config *subnet.Config, iface string) (backend.Network, error) {
	stack, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return nil, fmt.Errorf("address families: %w", err)
	}
	external, err := ipmatch.LookupExtIface(iface, "", "", stack, ipmatch.PublicIPOpts{})
	if err != nil {
		return nil, fmt.Errorf("look up interface %s: %w", iface, err)
	}
	routes, err := backend.NewManager(ctx, subnets, external).GetBackend(config.BackendType)
	if err != nil {
		return nil, fmt.Errorf("back end %q: %w", config.BackendType, err)
	}
	network, err := routes.RegisterNetwork(ctx, running, config)
	if err != nil {
		return nil, fmt.Errorf("register this node's pod range: %w", err)
	}
	return network, nil
}

// masquerade lets pods reach addresses outside the pod network.
func masquerade(ctx context.Context, config *subnet.Config, network backend.Network) error {
	rules := &iptables.IPTablesManager{}
	if err := rules.Init(ctx); err != nil {
		return fmt.Errorf("prepare the outbound rules: %w", err)
	}
	err := rules.SetupAndEnsureMasqRules(ctx, config.Network, ip.IP4Net{}, ip.IP4Net{},
		config.IPv6Network, ip.IP6Net{}, ip.IP6Net{}, network.Lease(), resyncSeconds, false)
	if err != nil {
		return fmt.Errorf("write the outbound rules: %w", err)
	}
	return nil
}
