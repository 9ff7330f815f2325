package peer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/peer"
	"github.com/wayproof/wayproof/internal/proof"
)

// Each of our mutants is one of upstream's too, or there is a reason why not.
func TestEveryMutantOfOursIsAskedOrExcused(t *testing.T) {
	shared, theirs := map[string]bool{}, map[string]bool{}
	for _, mutant := range peer.Mutants() {
		assert.False(t, shared[mutant.Name] || theirs[mutant.Name], "%s is there twice", mutant.Name)
		if mutant.Ours {
			shared[mutant.Name] = true
		} else {
			theirs[mutant.Name] = true
		}
	}
	named := map[string]bool{}
	for _, unasked := range peer.NotAsked() {
		assert.NotEmpty(t, unasked.Reason)
		for _, name := range unasked.Mutants {
			assert.False(t, named[name], "%s is excused twice", name)
			named[name] = true
		}
	}
	for _, mutant := range proof.Mutants() {
		assert.False(t, theirs[mutant.Name], "%s is one of ours", mutant.Name)
		reason, excused := peer.WhyNot(mutant.Name, mutant.Scenario)
		assert.NotEqual(t, shared[mutant.Name], excused, "%s is to be played (internal/peer) or excused (NotAsked): %s", mutant.Name, reason)
		delete(shared, mutant.Name)
		delete(named, mutant.Name)
	}
	assert.Empty(t, shared, "called ours, and none of ours")
	assert.Empty(t, named, "excused, and none of ours")
}

func TestMutantsNameTestsOfTheProfile(t *testing.T) {
	profile := map[string]bool{}
	for _, test := range peer.Profile() {
		profile[test.Name] = true
	}
	for _, mutant := range peer.Mutants() {
		assert.NotEmpty(t, mutant.Title, mutant.Name)
		assert.NotEmpty(t, mutant.Tests, mutant.Name)
		for _, test := range mutant.Tests {
			assert.True(t, profile[test], "%s: %s", mutant.Name, test)
		}
		changed := mutant.Enrol() != (*peer.Mutant)(nil).Enrol()
		assert.NotEqual(t, changed, mutant.Manifest != "", "%s is made in a manifest or in the enrolment", mutant.Name)
	}
}

func TestMutantsAreSelected(t *testing.T) {
	some, err := peer.Select("^split-6")
	require.NoError(t, err)
	require.Len(t, some, 2)
	assert.Equal(t, []string{"MeshHTTPRouteWeight"}, peer.Asked(some))
	all, err := peer.Select("")
	require.NoError(t, err)
	assert.Len(t, peer.Asked(all), len(peer.Profile()), "everything is asked of the sound mesh")
	for _, wrong := range []string{"(", "^nothing of the kind$"} {
		_, err := peer.Select(wrong)
		require.Error(t, err)
	}
	_, err = peer.Find("nobody")
	require.Error(t, err)
}

func TestVerdicts(t *testing.T) {
	mutant := peer.Mutant{Tests: []string{"a", "b"}}
	passed := func(test string) peer.Outcome { return peer.Outcome{Test: test, Passed: true} }
	failed := func(test, reason string) peer.Outcome { return peer.Outcome{Test: test, Reason: reason} }
	sound := []peer.Outcome{passed("a"), passed("b")}
	for name, c := range map[string]struct {
		sound, seen []peer.Outcome
		want        peer.Verdict
	}{
		"one test sees it":                  {sound, []peer.Outcome{passed("a"), failed("b", "301")}, peer.Killed},
		"no test sees it":                   {sound, []peer.Outcome{passed("a"), passed("b")}, peer.Passes},
		"a test fails without having asked": {sound, []peer.Outcome{failed("a", "301"), failed("b", "")}, peer.Failed},
		"a test did not run":                {sound, []peer.Outcome{passed("a")}, peer.Failed},
		"nothing ran":                       {sound, nil, peer.Failed},
		"the sound mesh fails both":         {nil, []peer.Outcome{failed("a", "301"), failed("b", "301")}, peer.Mute},
		"the sound mesh fails one":          {sound[:1], []peer.Outcome{passed("a"), failed("b", "301")}, peer.Passes},
		"the sound mesh fails the other":    {sound[:1], []peer.Outcome{failed("a", "301"), failed("b", "301")}, peer.Killed},
	} {
		assert.Equal(t, c.want, peer.Judge(mutant, c.sound, c.seen), name)
	}
}

func TestAnOrderIsReadAsItWasWritten(t *testing.T) {
	order := peer.Order{Kubeconfig: "/k", Echo: "echo:1", Labels: map[string]string{"a": "b"}, Mutant: "split-60-40", Tests: []string{"MeshBasic"}}
	variable, err := order.Variable()
	require.NoError(t, err)
	again, err := peer.ReadOrder(variable[len(peer.OrderVariable)+1:])
	require.NoError(t, err)
	assert.Equal(t, order, again)
	_, err = peer.ReadOrder("")
	require.ErrorContains(t, err, peer.OrderVariable)
}
