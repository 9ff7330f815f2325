package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wayproof/wayproof/internal/record"
)

// Retain removes the oldest recorded runs of a folder, so that no more than keep
// are left, and gives the names of those that it removed. The lines of a history
// stay: they are what is left of a run that is gone.
//
// Only folders that hold a plan and observations are runs; everything else in
// the folder, and links, are left alone. A run's age is that of its start, or of
// its folder where the record does not say.
func Retain(folder string, keep int) ([]string, error) {
	if keep < 1 {
		return nil, fmt.Errorf("keep the %d newest runs of %s: at least one is kept", keep, folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("look for old runs: %w", err)
	}
	var runs []aged
	for _, entry := range entries {
		if dir := filepath.Join(folder, entry.Name()); entry.IsDir() && isRun(dir) {
			runs = append(runs, aged{entry.Name(), startOf(dir)})
		}
	}
	slices.SortStableFunc(runs, func(a, b aged) int { return b.began.Compare(a.began) })
	var removed []string
	for _, old := range runs[min(keep, len(runs)):] {
		if failed := os.RemoveAll(filepath.Join(folder, old.name)); failed != nil {
			err = errors.Join(err, fmt.Errorf("remove old run: %w", failed))
			continue
		}
		removed = append(removed, old.name)
	}
	return removed, err
}

// aged is a run with its start.
type aged struct {
	name  string
	began time.Time
}

func isRun(dir string) bool {
	for _, name := range []string{record.PlanFile, record.ObservationsFile} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func startOf(dir string) time.Time {
	var head struct {
		Started time.Time `json:"started"`
	}
	text, err := os.ReadFile(filepath.Join(dir, record.RunFile))
	if err == nil && json.Unmarshal(text, &head) == nil && !head.Started.IsZero() {
		return head.Started
	}
	if info, err := os.Stat(dir); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}
