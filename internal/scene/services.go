package scene

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wayproof/wayproof/internal/ambient"
	"github.com/wayproof/wayproof/internal/kube"
	"github.com/wayproof/wayproof/internal/record"
)

// dump is what matters here of a node proxy's config_dump, in ztunnel's form.
type dump struct {
	Services  []listed `json:"services"`
	Workloads []struct {
		UID    string `json:"uid"`
		Status string `json:"status"`
	} `json:"workloads"`
}

// listed is one service of a dump.
type listed struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	VIPs      []string `json:"vips"` // network/address
	Waypoint  *struct {
		Destination string `json:"destination"`
	} `json:"waypoint"`
	Endpoints map[string]struct {
		WorkloadUID string `json:"workloadUid"`
	} `json:"endpoints"`
}

// lookAtTable reads the services of a namespace as `istioctl ztunnel-config
// service` would print them, WAYPOINT and ENDPOINTS, from every node proxy. A
// virtual address that is not the Service's is added, and proxies that differ
// are told side by side.
func (s *Scene) lookAtTable(ctx context.Context, namespace string) ([]record.Sample, error) {
	dumps, err := s.dumps(ctx)
	if err != nil {
		return nil, err
	}
	addresses, err := s.addresses(ctx, namespace)
	if err != nil {
		return nil, err
	}
	told := map[string][]string{}
	for _, d := range dumps {
		for _, service := range d.Services {
			if service.Namespace == namespace {
				told[service.Name] = append(told[service.Name], d.row(service, addresses[service.Name]))
			}
		}
	}
	var samples []record.Sample
	for name, rows := range told {
		slices.Sort(rows)
		text := strings.Join(slices.Compact(rows), " | ")
		if len(rows) < len(dumps) {
			text += fmt.Sprintf(" | in %d of %d node proxies only", len(rows), len(dumps))
		}
		samples = append(samples, record.Sample{Series: namespace + "/" + name, Value: float64(len(rows)), Text: text})
	}
	return samples, nil
}

// row is one line of the table, without the columns that name it.
func (d *dump) row(service listed, address string) string {
	healthy := 0
	for _, endpoint := range service.Endpoints {
		if d.healthy(endpoint.WorkloadUID) {
			healthy++
		}
	}
	text := fmt.Sprintf("%s %d/%d", service.waypoint(), healthy, len(service.Endpoints))
	if !slices.ContainsFunc(service.VIPs, func(vip string) bool { return vip[strings.LastIndex(vip, "/")+1:] == address }) {
		text += fmt.Sprintf(" at %v, the Service is at %s", service.VIPs, address)
	}
	return text
}

// waypoint is the name of the waypoint's Service, as istioctl shortens it.
func (l listed) waypoint() string {
	if l.Waypoint == nil {
		return "None"
	}
	_, host, _ := strings.Cut(l.Waypoint.Destination, "/")
	name, rest, named := strings.Cut(host, ".")
	if !named || !strings.HasPrefix(rest, l.Namespace+".svc") {
		return l.Waypoint.Destination
	}
	return name
}

func (d *dump) healthy(uid string) bool {
	for _, workload := range d.Workloads {
		if workload.UID == uid {
			return workload.Status == "Healthy"
		}
	}
	return false
}

// dumps reads every node proxy.
func (s *Scene) dumps(ctx context.Context) ([]*dump, error) {
	set, err := ambient.FindZtunnel(ctx, s.cluster)
	if err != nil {
		return nil, err
	}
	pods, err := s.cluster.PodsWith(ctx, set.Namespace, set.Spec.Selector.MatchLabels)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("daemon set %s/%s has no pods", set.Namespace, set.Name)
	}
	all := make([]*dump, len(pods))
	for i, pod := range pods {
		all[i] = &dump{}
		if err := s.admin(ctx, kube.Ref{Namespace: pod.Namespace, Name: pod.Name}, "/config_dump", all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addresses are the virtual addresses of a namespace's Services.
func (s *Scene) addresses(ctx context.Context, namespace string) (map[string]string, error) {
	services, err := s.cluster.Set().CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services of %s: %w", namespace, err)
	}
	found := map[string]string{}
	for _, service := range services.Items {
		found[service.Name] = service.Spec.ClusterIP
	}
	return found, nil
}
