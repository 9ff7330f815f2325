package image

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The variables that turn this test program into another run that makes the
// same thing: once ordinarily, once never finishing.
const (
	childCache = "WAYPROOF_TEST_CACHE"
	childHangs = "WAYPROOF_TEST_HANGS"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(childCache)
	if dir == "" {
		os.Exit(m.Run())
	}
	_, err := (&Cache{Dir: dir}).Ensure(context.Background(), "thing", "key", func(_ context.Context, scratch string) error {
		return makeThing(dir, scratch)
	})
	if err != nil {
		os.Exit(1)
	}
}

// makeThing counts how often it is called in a file beside the cache.
func makeThing(dir, scratch string) error {
	calls, err := os.OpenFile(dir+".calls", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer calls.Close()
	if _, err := calls.WriteString("x"); err != nil {
		return err
	}
	if os.Getenv(childHangs) != "" {
		select {}
	}
	return os.WriteFile(filepath.Join(scratch, "content"), []byte("made"), 0o600)
}

func run(t *testing.T, dir string, more ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), childCache+"="+dir), more...)
	require.NoError(t, cmd.Start())
	return cmd
}

func calls(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(dir + ".calls")
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	return len(content)
}

func TestRunsThatWantTheSameThingMakeItOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var children []*exec.Cmd
	for range 4 {
		children = append(children, run(t, dir))
	}
	for _, child := range children {
		require.NoError(t, child.Wait())
	}
	assert.Equal(t, 1, calls(t, dir))
	content, err := os.ReadFile(filepath.Join(dir, "thing", "key", "content"))
	require.NoError(t, err)
	assert.Equal(t, "made", string(content))
}

func TestAKilledRunIsNoObstacle(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	child := run(t, dir, childHangs+"=1")
	require.Eventually(t, func() bool { return calls(t, dir) == 1 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	assert.NoDirExists(t, filepath.Join(dir, "thing", "key"), "half of it must not look whole")

	made, err := (&Cache{Dir: dir}).Ensure(t.Context(), "thing", "key", func(_ context.Context, scratch string) error {
		left, err := os.ReadDir(scratch)
		assert.Empty(t, left, "nothing of the killed run is used")
		return errors.Join(err, makeThing(dir, scratch))
	})
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(made, "content"))
}

func TestWaitingForAnotherRunEndsWithTheContext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	child := run(t, dir, childHangs+"=1")
	require.Eventually(t, func() bool { return calls(t, dir) == 1 }, 10*time.Second, 5*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := (&Cache{Dir: dir}).Ensure(ctx, "thing", "key", func(context.Context, string) error { return nil })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "another run")
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
}

func TestWhatFailedIsNotKept(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	broken := errors.New("disk full")
	dir, err := cache.Ensure(t.Context(), "thing", "key", func(_ context.Context, scratch string) error {
		return errors.Join(os.WriteFile(filepath.Join(scratch, "half"), nil, 0o600), broken)
	})
	require.ErrorIs(t, err, broken)
	assert.NoDirExists(t, dir)
	left, err := filepath.Glob(dir + scratchMark + "*")
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestScratchFoldersAreNew: what a killed run started may write on, and what it
// left may not be removable.
func TestScratchFoldersAreNew(t *testing.T) {
	cache := &Cache{Dir: t.TempDir()}
	old := filepath.Join(cache.Dir, "thing", "key"+scratchMark)
	require.NoError(t, os.MkdirAll(filepath.Join(old, "left"), 0o755))
	other := filepath.Join(cache.Dir, "thing", "key2"+scratchMark+"-1")
	require.NoError(t, os.MkdirAll(other, 0o755))
	dir, err := cache.Ensure(t.Context(), "thing", "key", func(_ context.Context, scratch string) error {
		assert.NotEqual(t, old, scratch)
		assert.NoDirExists(t, old, "what a killed run left is swept away")
		return os.MkdirAll(filepath.Join(old, "orphan"), 0o755) // as a process that outlived its run writes
	})
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(dir, "orphan"))
	assert.DirExists(t, other, "another thing may be being made")
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode().Perm(), "a root file system is for everyone to read")
}

func TestMountedIn(t *testing.T) {
	const mounts = "22 1 0:20 / / rw - ext4 /dev/sda rw\n23 22 0:21 / /cache/key.partial-1/root/proc rw,nosuid - proc proc rw\n"
	assert.Equal(t, "/cache/key.partial-1/root/proc", mountedIn(mounts, "/cache/key.partial-1"))
	assert.Empty(t, mountedIn(mounts, "/cache/key.partial"))
	assert.Empty(t, mountedIn("", "/cache"))
}

func TestLookingMakesNothing(t *testing.T) {
	cache := &Cache{Dir: filepath.Join(t.TempDir(), "none"), Look: true}
	dir, err := cache.Ensure(t.Context(), "thing", "key", func(context.Context, string) error {
		return errors.New("was called")
	})
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(cache.Dir, "thing", "key"), dir)
	assert.NoDirExists(t, cache.Dir)
}

func TestKeysOfDifferentPartsDiffer(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"ab", ""}, {"1:a"}, {"a", "1:b"}} {
		key := Key(parts...)
		assert.NotContains(t, seen, key, parts)
		seen[key] = parts
	}
}

func TestTreeDigest(t *testing.T) {
	all := func(string) bool { return true }
	code := func(path string) bool { return strings.HasSuffix(path, ".go") }
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	digest := func(wanted func(string) bool) string {
		sum, err := TreeDigest(dir, wanted)
		require.NoError(t, err)
		return sum
	}
	write("a.go", "one")
	write("sub/b.go", "two")
	first, firstCode := digest(all), digest(code)
	assert.Equal(t, first, digest(all))
	write("README", "prose")
	assert.NotEqual(t, first, digest(all))
	assert.Equal(t, firstCode, digest(code), "an unwanted file does not count")
	write("sub/b.go", "three")
	assert.NotEqual(t, firstCode, digest(code), "content counts")
	write("sub/b.go", "two")
	require.NoError(t, os.Rename(filepath.Join(dir, "a.go"), filepath.Join(dir, "c.go")))
	assert.NotEqual(t, firstCode, digest(code), "names count")

	_, err := TreeDigest(filepath.Join(dir, "none"), all)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRoomSaysWhatIsMissingAndWhere(t *testing.T) {
	dir := t.TempDir()
	cache := &Cache{Dir: filepath.Join(dir, "not", "made", "yet")}
	require.NoError(t, cache.Room(0))
	require.ErrorContains(t, cache.Room(1<<30), "are free at "+dir+" and 1073741824 GiB are needed")
}

func TestFreeGiBAsksTheNearestFolderThatExists(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{filepath.Join(dir, "a", "b", "c"): dir, dir: dir, "/no-such-folder-here/x": "/"} {
		_, at, err := FreeGiB(path)
		require.NoError(t, err)
		assert.Equal(t, want, at)
	}
}
