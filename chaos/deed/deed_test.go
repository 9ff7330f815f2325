//go:build linux

package deed

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// written makes a /proc of processes: pid to stat, cmdline and cgroup.
func written(t *testing.T, processes map[int][3]string) Node {
	t.Helper()
	proc := t.TempDir()
	for pid, files := range processes {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		require.NoError(t, os.Mkdir(dir, 0o755))
		for i, name := range []string{"stat", "cmdline", "cgroup"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(files[i]), 0o644))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(proc, "sys"), 0o755))
	return Node{Proc: proc, Root: t.TempDir()}
}

const uid = "395cddd4-33d7-4ac0-b569-04ed8491338b"

func TestProcessesAreFoundByTheirPod(t *testing.T) {
	systemd := "0::/kubelet.slice/kubelet-kubepods-burstable-pod395cddd4_33d7_4ac0_b569_04ed8491338b.slice/cri-containerd-1.scope\n"
	cgroupfs := "0::/kubepods/burstable/pod395cddd4-33d7-4ac0-b569-04ed8491338b/1\n"
	node := written(t, map[int][3]string{
		11: {"11 (envoy) T 1 1", "/usr/local/bin/envoy\x00-c\x00x\x00", systemd},
		12: {"12 (envoy) (odd)) S 1 1", "envoy\x00", cgroupfs},
		13: {"13 (pause) S 1 1", "/pause\x00", systemd},
		14: {"14 (envoy) S 1 1", "envoy\x00", "0::/other\n"},
		15: {"15 (envoy) Z 1 1", "", systemd},
		16: {"16 (agent) R 1 1", "/agent\x00hand\x00burn\x00--mark\x00wayproof_burn\x00", "0::/\n"},
	})
	found, err := node.processes(pledge.Deed{Kind: pledge.Stop, Pod: uid, Program: "envoy"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []int{11, 12}, []int{found[0].pid, found[1].pid})
	assert.Len(t, found, 2)
	_, err = node.processes(pledge.Deed{Kind: pledge.Stop, Pod: "", Program: "envoy"})
	require.Error(t, err, "an empty uid would be every pod's")

	stopped, err := node.Stopped()
	require.NoError(t, err)
	assert.Equal(t, []string{"envoy"}, stopped)
	burning, err := node.burning("wayproof_burn")
	require.NoError(t, err)
	assert.Len(t, burning, 1)
	burning, err = node.burning("wayproof_other")
	require.NoError(t, err)
	assert.Empty(t, burning)
}

func TestWhatWasNeverDoneIsUndoneAlready(t *testing.T) {
	node := written(t, nil)
	for _, d := range []pledge.Deed{
		{Kind: pledge.Stop, Pod: uid, Program: "envoy"},
		{Kind: pledge.Rules, Pod: uid, Name: "wayproof_x"},
		{Kind: pledge.Delay, Pod: uid},
		{Kind: pledge.Burn, Name: "wayproof_burn"},
	} {
		_, err := node.Undo(t.Context(), d)
		assert.NoError(t, err, d.Kind)
	}
	_, err := node.Undo(t.Context(), pledge.Deed{Kind: "unheard of"})
	require.Error(t, err)
	_, err = node.Do(t.Context(), pledge.Deed{Kind: pledge.Stop, Pod: uid, Program: "envoy"})
	require.ErrorContains(t, err, "no process")
}

func TestANodeWithoutNftIsUnsupported(t *testing.T) {
	node := written(t, map[int][3]string{11: {"11 (envoy) S 1 1", "envoy", "0::/pod" + uid}})
	_, err := node.Do(t.Context(), pledge.Deed{Kind: pledge.Rules, Pod: uid, Name: "wayproof_x"})
	require.ErrorIs(t, err, ErrUnsupported)
}

// tools makes a node that has nsenter and the programs that are named: scripts,
// so that nothing of this machine is touched.
func tools(t *testing.T, node Node, script string, programs ...string) {
	t.Helper()
	for _, name := range append(programs, "/usr/bin/nsenter") {
		path := filepath.Join(node.Root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	}
}

// Without tc there can be no netem, which is no reason not to try the queue, nor
// to fail at taking a delay away.
func TestANodeWithoutTcIsNotAnError(t *testing.T) {
	node := written(t, map[int][3]string{11: {"11 (envoy) S 1 1", "envoy", "0::/pod" + uid}})
	tools(t, node, "")
	d := pledge.Deed{Kind: pledge.Delay, Pod: uid, For: 1}
	_, err := node.Look(t.Context(), d)
	require.ErrorIs(t, err, ErrUnsupported, "neither netem nor a queue")
	_, err = node.tc(t.Context(), uid, "qdisc", "show")
	require.ErrorIs(t, err, ErrUnsupported)
	_, err = node.Undo(t.Context(), d)
	require.NoError(t, err)
}

// What cannot be looked at is not clean: only of a process that has ended is there
// nothing to find.
func TestANodeThatCannotBeLookedAtIsNotClean(t *testing.T) {
	node := written(t, map[int][3]string{11: {"11 (envoy) S 1 1", "envoy", "0::/pod" + uid}})
	require.NoError(t, os.Mkdir(filepath.Join(node.Proc, "11", "ns"), 0o755))
	require.NoError(t, os.Symlink("net:[1]", filepath.Join(node.Proc, "11", "ns", "net")))
	lines, err := node.packets(t.Context())
	require.NoError(t, err, "without nft and tc nothing of ours can be there")
	assert.Empty(t, lines)
	tools(t, node, "not a program", "/usr/sbin/nft")
	_, err = node.packets(t.Context())
	require.ErrorContains(t, err, "look for packet rules")
	assert.False(t, node.lives(12))
}

func TestRulesAreOneTransactionThatCanBeRepeated(t *testing.T) {
	text, err := program(pledge.Deed{Name: "wayproof_x", Rules: []pledge.Rule{{Hook: "input", Text: "tcp dport 15008 counter drop"}}})
	require.NoError(t, err)
	assert.Equal(t, `table inet wayproof_x
delete table inet wayproof_x
table inet wayproof_x {
	chain input {
		type filter hook input priority -150; policy accept;
		tcp dport 15008 counter drop
	}
	chain output {
		type filter hook output priority -150; policy accept;
	}
}
`, text)
	for _, name := range []string{"", "filter", "wayproof_x; flush ruleset", "wayproof_"} {
		_, err := program(pledge.Deed{Name: name})
		assert.Error(t, err, name)
	}
}

func TestABurnIsBounded(t *testing.T) {
	for _, d := range []pledge.Deed{
		{Name: "wayproof_b", Workers: 0, For: 1},
		{Name: "wayproof_b", Workers: 1},
		{Name: "b", Workers: 1, For: 1},
		{Name: "wayproof_b", Workers: 1, For: mostBurn + 1},
	} {
		_, err := Node{Self: "/does/not/exist"}.burn(t.Context(), d)
		assert.ErrorContains(t, err, "out of bounds")
	}
}

// On Debian iptables is a link to a place below the root, which seen from outside
// leads elsewhere: the node has it all the same.
func TestALinkWithinTheNodeIsThere(t *testing.T) {
	node := written(t, map[int][3]string{11: {"11 (envoy) S 1 1", "envoy", "0::/pod" + uid}})
	tools(t, node, "")
	link := filepath.Join(node.Root, "usr/sbin/iptables")
	require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
	require.NoError(t, os.Symlink("/etc/alternatives/of-the-node-alone", link))
	_, err := node.enter(t.Context(), 11, "", "/usr/sbin/iptables")
	require.Error(t, err) // there is no process 11
	require.NotErrorIs(t, err, ErrUnsupported)
}
