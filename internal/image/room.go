package image

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FreeGiB is how much room a folder's disk has, in GiB, and the folder that was
// asked: the nearest one above that exists.
func FreeGiB(dir string) (free int, at string, err error) {
	for at = dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		}
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(at, &stat); err != nil {
		return 0, at, fmt.Errorf("ask for the free space of %s: %w", at, err)
	}
	return int(stat.Bavail * uint64(stat.Bsize) >> 30), at, nil
}

// Room is an error where the cache's disk has less than that many GiB: a disk
// that fills up after minutes of work says less about what to do.
func (c *Cache) Room(gib int) error {
	free, at, err := FreeGiB(c.Dir)
	if err != nil {
		return err
	}
	if free < gib {
		return fmt.Errorf("%d GiB are free at %s and %d GiB are needed: free some, or move the cache by XDG_CACHE_HOME", free, at, gib)
	}
	return nil
}
