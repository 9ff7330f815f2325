package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/wayproof/wayproof/images/nodeproxy/internal/admin"
)

// run works until the context ends, then drains. What carries connections that
// are still open, configuration and certificates included, goes on until the
// drain is over.
func (p *proxy) run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer p.hangUp()
	group, life := errgroup.WithContext(life)
	p.start(life, group)
	intake, enough := context.WithCancel(ctx)
	defer enough()
	stop := context.AfterFunc(life, enough) // a part that fails ends the whole
	defer stop()
	group.Go(func() error {
		defer end()
		_ = p.capture(intake) // ends only with its context
		p.drain(life)
		return ctx.Err()
	})
	return group.Wait()
}

// start begins everything that outlives the intake of pods.
func (p *proxy) start(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return p.xds.Run(ctx) })
	group.Go(func() error { return p.mesh.Identities.Run(ctx) })
	group.Go(func() error { return p.retainIdentities(ctx) })
	group.Go(func() error { return p.recheck(ctx) })
	listen := p.cfg.Listen
	group.Go(func() error { return admin.Serve(ctx, listen.Admin, p.admin.Handler()) })
	group.Go(func() error { return admin.Serve(ctx, listen.Stats, admin.Stats(p.registry)) })
	group.Go(func() error { return admin.Serve(ctx, listen.Readiness, admin.Readiness(p.ready)) })
}

// capture takes pods from istio-cni, but only once the mesh is known: a proxy
// that connects becomes the one that gets new pods.
func (p *proxy) capture(ctx context.Context) error {
	select {
	case <-p.xds.Synced():
	case <-ctx.Done():
		return ctx.Err()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.zds.Run(ctx) })
	group.Go(func() error { return p.pods.Run(ctx) })
	return group.Wait()
}

func (p *proxy) drain(ctx context.Context) {
	p.log.Info("draining", "at most", p.cfg.DrainTime())
	ctx, cancel := context.WithTimeout(ctx, p.cfg.DrainTime())
	defer cancel()
	p.pods.Drain(ctx)
}

func (p *proxy) ready() error {
	if err := p.xds.Ready(); err != nil {
		return err
	}
	return p.pods.Ready()
}

// retainIdentities keeps certificates for exactly the pods of this node.
func (p *proxy) retainIdentities(ctx context.Context) error {
	for {
		changed := p.mesh.Store.Changed()
		p.mesh.Identities.Retain(ctx, p.mesh.Store.Identities(p.cfg.Self.Node))
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// recheck holds running connections to changed policies.
func (p *proxy) recheck(ctx context.Context) error {
	for {
		changed := p.mesh.Policies.Changed()
		p.mesh.Flows.Recheck()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *proxy) hangUp() {
	for _, c := range p.upstream {
		_ = c.Close() // the process ends anyway
	}
}
