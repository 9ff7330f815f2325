package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Cache is a folder of things that take long to make, each under the digest of
// everything that it was made from. A changed input therefore remakes just what
// depends on it, and two runs that want the same thing make it once.
type Cache struct {
	Dir string
	// Look makes nothing: Ensure only says where a thing lies or would lie.
	Look bool
}

// UserCache is the cache under the user's cache folder.
func UserCache() (*Cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the user's cache folder: %w", err)
	}
	return &Cache{Dir: filepath.Join(base, "wayproof")}, nil
}

// lockPoll is how often a run looks whether another one has finished making
// what both want.
const lockPoll = 200 * time.Millisecond

// Ensure returns the folder of kind and key, calling fill first if it does not
// exist yet. fill makes its content in a scratch folder that becomes visible only when it
// returned without an error: a killed run leaves nothing that looks finished.
func (c *Cache) Ensure(ctx context.Context, kind, key string, fill func(ctx context.Context, dir string) error) (string, error) {
	dir := filepath.Join(c.Dir, kind, key)
	if c.Look || exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make cache folder for %s: %w", kind, err)
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return "", fmt.Errorf("wait for another run that makes %s: %w", kind, err)
	}
	defer func() { _ = lock.Unlock() }()
	if exists(dir) {
		return dir, nil
	}
	return dir, create(ctx, dir, fill)
}

// create makes dir by way of a scratch folder beside it. The folder's name is new
// each time: what a killed run had started may still write to the one before.
func create(ctx context.Context, dir string, fill func(ctx context.Context, dir string) error) error {
	sweep(dir)
	scratch, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+scratchMark+"-")
	if err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	if err := os.Chmod(scratch, 0o755); err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	if err := fill(ctx, scratch); err != nil {
		return errors.Join(err, discard(scratch))
	}
	if err := os.Rename(scratch, dir); err != nil {
		return fmt.Errorf("finish %s: %w", dir, err)
	}
	return nil
}

// scratchMark stands in the name of a folder that is being filled.
const scratchMark = ".partial"

// sweep removes what killed runs left of dir; the caller holds its lock. What
// cannot be removed now is in nobody's way, and is tried again the next time.
func sweep(dir string) {
	left, err := filepath.Glob(dir + scratchMark + "*")
	if err != nil {
		return
	}
	for _, scratch := range left {
		_ = discard(scratch)
	}
}

// discard removes a scratch folder, unless something is mounted in it: removing
// would go on into what is mounted, such as the machine's own /proc or /dev.
func discard(scratch string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for mounts in %s: %w", scratch, err)
	}
	if at := mountedIn(string(mounts), scratch); at != "" {
		return fmt.Errorf("remove scratch folder %s: %s is mounted", scratch, at)
	}
	return os.RemoveAll(scratch)
}

// mountedIn names a mount point below a folder, if there is one.
func mountedIn(mountinfo, dir string) string {
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			return fields[4]
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Key digests inputs into a cache key. Parts are length-prefixed, so that no
// two lists of parts run together into one.
func Key(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:", len(part))
		io.WriteString(sum, part) //nolint:errcheck // a hash never fails to write
	}
	return hex.EncodeToString(sum.Sum(nil))[:20]
}

// FileDigest is the SHA-256 of a file's content in hex.
func FileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// TreeDigest digests the wanted regular files below root, or root itself if it
// is a file, by relative path and content, in a stable order.
func TreeDigest(root string, wanted func(path string) bool) (string, error) {
	var parts []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !wanted(path) {
			return err
		}
		digest, err := FileDigest(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		parts = append(parts, relative+"="+digest)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("digest folder %s: %w", root, err)
	}
	sort.Strings(parts)
	return Key(parts...), nil
}
