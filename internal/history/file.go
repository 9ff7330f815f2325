package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

// History is what a file holds.
type History struct {
	Entries []Entry // oldest first, by the start of the run
	// Damaged says of lines that could not be read which and why; the others stand.
	Damaged []string
}

// ErrRecorded says that a run is in the history already.
var ErrRecorded = errors.New("the run is in the history already")

// SchemaError says that a line was written by a later build.
type SchemaError struct{ Line, Got int }

// Error names the versions.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("history line %d has schema %d, this build reads 1 to %d", e.Line, e.Got, Schema)
}

// longestFile bounds what is read: a line is some kilobytes.
const longestFile = 256 << 20

// Read reads a history. A missing file is an empty history. A line from the
// future is refused: what it says cannot be left out of a trend unseen.
func Read(path string) (History, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return History{}, nil
	}
	if err != nil {
		return History{}, fmt.Errorf("read history: %w", err)
	}
	if info.Size() > longestFile {
		return History{}, fmt.Errorf("read history: %s has %d bytes, at most %d are read", path, info.Size(), longestFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return History{}, fmt.Errorf("read history: %w", err)
	}
	return parse(text)
}

func parse(text []byte) (History, error) {
	var h History
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		entry, err := parseLine(line, number)
		var future *SchemaError
		switch {
		case errors.As(err, &future):
			return History{}, err
		case err != nil:
			h.Damaged = append(h.Damaged, err.Error())
		case seen[entry.Run]:
			h.Damaged = append(h.Damaged, fmt.Sprintf("line %d repeats run %.80q: the first counts", number, entry.Run))
		default:
			seen[entry.Run] = true
			h.Entries = append(h.Entries, entry)
		}
	}
	slices.SortStableFunc(h.Entries, func(a, b Entry) int { return a.Started.Compare(b.Started) })
	return h, nil
}

func parseLine(line []byte, number int) (Entry, error) {
	var version struct {
		Schema int    `json:"schema"`
		Run    string `json:"run"`
	}
	if err := json.Unmarshal(line, &version); err != nil {
		return Entry{}, fmt.Errorf("line %d cannot be read: %w", number, err)
	}
	if version.Schema > Schema {
		return Entry{}, &SchemaError{Line: number, Got: version.Schema}
	}
	if version.Schema < 1 || version.Run == "" {
		return Entry{}, fmt.Errorf("line %d is no line of a history", number)
	}
	var entry Entry
	if err := json.Unmarshal(line, &entry); err != nil {
		return Entry{}, fmt.Errorf("line %d cannot be read: %w", number, err)
	}
	return entry, nil
}

// Append adds a run at the end, in one write and on disk, under a lock on the
// file. A run is added once. A last line that a crash cut short is left as it is, on a line of its own.
func Append(path string, entry Entry) error {
	if entry.Run == "" {
		return errors.New("add to history: the run has no id")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("add to history: %w", err)
	}
	lock := flock.New(path, flock.SetPermissions(0o644))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	return errors.Join(appendNew(path, entry), lock.Unlock())
}

// appendNew looks and writes while nobody else does.
func appendNew(path string, entry Entry) error {
	known, err := Read(path)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(known.Entries, func(e Entry) bool { return e.Run == entry.Run }) {
		return fmt.Errorf("add %s to %s: %w", entry.Run, path, ErrRecorded)
	}
	line, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("add %s to history: %w", entry.Run, err)
	}
	return appendLine(path, append(line, '\n'))
}

// Ready says whether a line can be added to the history at path, and adds none.
func Ready(path string) error {
	if _, err := Read(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("prepare history: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("prepare history: %w", err)
	}
	return f.Close()
}

func appendLine(path string, line []byte) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("add to history: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	cut, err := cutShort(f)
	if err != nil {
		return fmt.Errorf("add to %s: %w", path, err)
	}
	if cut {
		line = append([]byte("\n"), line...)
	}
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("add to %s: %w", path, err)
	}
	return f.Sync()
}

// cutShort reports a file whose last line has no end.
func cutShort(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
