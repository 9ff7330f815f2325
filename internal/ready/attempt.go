package ready

import (
	"context"
	"time"

	"github.com/wayproof/wayproof/internal/kube"
)

// attempt is one proof under way.
type attempt struct {
	gate    *Gate
	proof   proof
	istiods *istiods
	tally   *tally
	began   time.Time
}

// refusalStands is how long a refusal must stand after the last push before it
// counts: until the next answer, syncz still shows the refusal of an earlier one.
const refusalStands = 2 * time.Second

// all goes through the three steps of the package comment.
func (a *attempt) all(ctx context.Context) error {
	if err := a.seen(ctx); err != nil {
		return err
	}
	// A pod that joins on the way starts at no changes, and more rounds follow.
	for least := 0; least < Rounds; {
		a.tally.mark()
		if err := a.gate.markers.tick(ctx, a.proof.tick); err != nil {
			return err
		}
		var err error
		if least, err = a.sent(ctx); err != nil {
			return err
		}
	}
	return a.answered(ctx)
}

// seen waits until every istiod has the markers, which are written after all
// that was applied before.
func (a *attempt) seen(ctx context.Context) error {
	if err := a.gate.settle(ctx); err != nil {
		return err
	}
	nonce, err := a.gate.markers.write(ctx)
	if err != nil {
		return err
	}
	err = kube.Await(ctx, a.wait("istiod to have seen everything applied"), func(ctx context.Context) (bool, string, error) {
		missing, err := a.istiods.missing(ctx, nonce)
		return err == nil && missing == "", missing, err
	})
	if err != nil {
		return err
	}
	// The count starts from what has been sent so far.
	_, err = a.read(ctx)
	return err
}

// sent waits until a push has gone to each proxy since the mark, and returns
// the smallest count of pushes.
func (a *attempt) sent(ctx context.Context) (int, error) {
	least := 0
	err := kube.Await(ctx, a.wait("istiod to push to every proxy"), func(ctx context.Context) (bool, string, error) {
		now, err := a.read(ctx)
		if err != nil {
			return false, "", err
		}
		moved, state := a.tally.moved(now.wanted)
		least = a.tally.least(now.wanted)
		return moved, state, nil
	})
	return least, err
}

// answered waits until everything that was sent is acknowledged.
func (a *attempt) answered(ctx context.Context) error {
	began := time.Now()
	return kube.Await(ctx, a.wait("the last push to be acknowledged"), func(ctx context.Context) (bool, string, error) {
		now, err := a.read(ctx)
		if err != nil {
			return false, "", err
		}
		waiting, rejected := acknowledged(now.wanted, now.proxies)
		if rejected != nil && time.Since(began) > refusalStands {
			return false, "", kube.Fatal(rejected)
		}
		return waiting == "" && rejected == nil, waiting, nil
	})
}

// reading is the pods that count and what istiod says of all proxies.
type reading struct {
	wanted  []string
	proxies map[string]proxy
}

// read takes one reading and enters it into the tally.
func (a *attempt) read(ctx context.Context) (reading, error) {
	pods, err := a.proof.pods(ctx)
	if err != nil {
		return reading{}, err
	}
	wanted := ids(pods)
	if len(wanted) == 0 {
		return reading{}, kube.Fatal(errNone)
	}
	proxies, err := a.istiods.proxies(ctx)
	if err != nil {
		return reading{}, err
	}
	a.tally.note(wanted, proxies)
	return reading{wanted: wanted, proxies: proxies}, nil
}

// wait has what is left of the gate's time.
func (a *attempt) wait(what string) kube.Wait {
	return kube.Wait{What: what, Within: a.gate.Within - time.Since(a.began), Every: look}
}
