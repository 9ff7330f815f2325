package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// lifetime is the variable by which Istio's agent asks for certificates of a
// shorter life; it asks for the next one at half of it.
const lifetime = "SECRET_TTL"

// rotate gives the certificates of a waypoint so short a life that they are
// replaced again and again: ttl=40s is a replacement each 20 s. No clock is
// touched. It rolls the waypoint, before and after; what is under test lies
// between.
func rotate(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	life, err := time.ParseDuration(spec.Params["ttl"])
	if err != nil || life < 20*time.Second || life > time.Hour {
		return nil, fmt.Errorf("ttl=%q is not from 20s to 1h", spec.Params["ttl"])
	}
	set, unset, err := variable(ctx, site, spec.Target, lifetime, life.String())
	if err != nil {
		return nil, err
	}
	work := &rotations{site: site, target: spec.Target, serials: map[string][]string{}}
	return &Injection{
		Target: spec.Target + ", certificates of " + life.String(), Undo: []pledge.Step{unset},
		inject: func(ctx context.Context) error {
			if err := do(site, set)(ctx); err != nil {
				return err
			}
			_, err := replaced(site, spec.Target)(ctx)
			return err
		},
		confirm: func(ctx context.Context) (string, error) { return work.begin(ctx, life) },
		still:   glance(carries(site, spec.Target, lifetime, life.String())),
		ease:    work.stop,
		whole:   replaced(site, spec.Target),
	}, nil
}

// rotations follows the serial numbers of a waypoint's certificates.
type rotations struct {
	site   Site
	target string

	mu      sync.Mutex
	serials map[string][]string // by pod, in the order of their appearance
	cancel  context.CancelFunc
	ended   chan struct{}
}

// begin takes the first look, which must show certificates of the short life,
// and looks on until it is stopped.
func (r *rotations) begin(ctx context.Context, life time.Duration) (string, error) {
	evidence, err := eventually(ctx, "certificates of "+life.String(), func(ctx context.Context) (bool, string, error) {
		longest, err := r.look(ctx)
		return err == nil && longest > 0 && longest <= life, fmt.Sprintf("the longest certificate still lives for %v", longest.Round(time.Second)), err
	})
	if err != nil {
		return evidence, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel, r.ended = cancel, make(chan struct{})
	go r.follow(running)
	return evidence, nil
}

// lookEvery is how often certificates are looked at.
const lookEvery = 4 * time.Second

func (r *rotations) follow(ctx context.Context) {
	defer close(r.ended)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := r.look(ctx); err == nil {
			r.site.note(chaos.SeriesRotations, float64(r.least()), "")
		}
	}
}

func (r *rotations) stop(context.Context) error {
	r.mu.Lock()
	cancel, ended := r.cancel, r.ended
	r.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
	return nil
}

// least is how often the replica that had it least had its certificate replaced.
func (r *rotations) least() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	least := -1
	for _, serials := range r.serials {
		if n := len(serials) - 1; least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// look reads the certificate of each replica and returns the longest life left.
func (r *rotations) look(ctx context.Context) (longest time.Duration, err error) {
	pods, err := waypointPods(ctx, r.site, r.target)
	if err != nil {
		return 0, err
	}
	for _, pod := range pods {
		one, err := r.site.certificate(ctx, refTo(pod))
		if err != nil {
			return 0, err
		}
		longest = max(longest, time.Until(one.Expires))
		r.mu.Lock()
		if seen := r.serials[string(pod.UID)]; !slices.Contains(seen, one.Serial) {
			r.serials[string(pod.UID)] = append(seen, one.Serial)
		}
		r.mu.Unlock()
	}
	return longest, nil
}

// certificate is what a proxy shows of itself to its peers.
type certificate struct {
	Serial  string    `json:"serial_number"`
	Expires time.Time `json:"expiration_time"`
	Names   []struct {
		URI string `json:"uri"`
	} `json:"subject_alt_names"`
}

// certificate reads the workload certificate that an Envoy uses.
func (s Site) certificate(ctx context.Context, pod kube.Ref) (certificate, error) {
	var page struct {
		Certificates []struct {
			Chain []certificate `json:"cert_chain"`
		} `json:"certificates"`
	}
	if err := s.Cluster.Ask(ctx, kube.Port{Pod: pod, Number: kube.AdminPort}, "/certs", &page); err != nil {
		return certificate{}, err
	}
	for _, one := range page.Certificates {
		if len(one.Chain) > 0 && len(one.Chain[0].Names) > 0 && strings.HasPrefix(one.Chain[0].Names[0].URI, "spiffe://") {
			return one.Chain[0], nil
		}
	}
	return certificate{}, errors.New("pod " + pod.String() + " shows no workload certificate")
}
