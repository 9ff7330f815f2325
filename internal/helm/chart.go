package helm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/repo"
)

// Source says where a chart lies: at Path (a directory or a packed archive),
// or, if that is empty, under Name and Version in the repository at Repo.
type Source struct {
	Path    string
	Repo    string
	Name    string
	Version string
	// Cache is a directory that keeps charts of repositories. One that is
	// there already is used without a word to the network.
	Cache string
}

func (s Source) String() string {
	if s.Path != "" {
		return s.Path
	}
	return fmt.Sprintf("%s %s of %s", s.Name, s.Version, s.Repo)
}

// Load reads the chart.
func (s Source) Load(ctx context.Context) (*chart.Chart, error) {
	path := s.Path
	if path == "" {
		var err error
		if path, err = s.fetch(ctx); err != nil {
			return nil, fmt.Errorf("fetch chart %s: %w", s, err)
		}
	}
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, fmt.Errorf("load chart %s: %w", s, err)
	}
	return loaded, nil
}

// fetch brings the archive into the cache and returns its path.
func (s Source) fetch(ctx context.Context) (string, error) {
	if s.Repo == "" || s.Name == "" || s.Version == "" || s.Cache == "" {
		return "", errors.New("repository, name, version and cache directory are all needed")
	}
	kept := filepath.Join(s.Cache, fmt.Sprintf("%s-%s-%s.tgz", s.Name, s.Version, shortHash([]byte(s.Repo))))
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look into chart cache: %w", err)
	}
	entry, err := s.lookUp(ctx)
	if err != nil {
		return "", err
	}
	archive, err := s.download(ctx, entry)
	if err != nil {
		return "", err
	}
	return kept, writeWhole(kept, archive)
}

// lookUp finds the chart in the repository's index. A version that is not
// there is answered with those that are.
func (s Source) lookUp(ctx context.Context) (*repo.ChartVersion, error) {
	client, err := repo.NewChartRepository(&repo.Entry{Name: shortHash([]byte(s.Repo)), URL: s.Repo}, web())
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	if err := os.MkdirAll(s.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make chart cache: %w", err)
	}
	client.CachePath = s.Cache
	file, err := withContext(ctx, client.DownloadIndexFile)
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	index, err := repo.LoadIndexFile(file)
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	entry, err := index.Get(s.Name, s.Version)
	if err != nil || len(entry.URLs) == 0 {
		return nil, fmt.Errorf("no version %s of chart %s; the newest there are: %s",
			s.Version, s.Name, newest(index.Entries[s.Name], 8))
	}
	return entry, nil
}

func newest(versions repo.ChartVersions, most int) string {
	var names []string
	for i := 0; i < len(versions) && i < most; i++ {
		names = append(names, versions[i].Version)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// download gets the archive and holds it against the digest of the index.
func (s Source) download(ctx context.Context, entry *repo.ChartVersion) ([]byte, error) {
	from, err := repo.ResolveReferenceURL(s.Repo, entry.URLs[0])
	if err != nil {
		return nil, fmt.Errorf("address of the archive: %w", err)
	}
	http, err := getter.NewHTTPGetter()
	if err != nil {
		return nil, fmt.Errorf("make http client: %w", err)
	}
	body, err := withContext(ctx, func() (*bytes.Buffer, error) { return http.Get(from) })
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", from, err)
	}
	sum := sha256.Sum256(body.Bytes())
	if got := hex.EncodeToString(sum[:]); entry.Digest != "" && strings.TrimPrefix(entry.Digest, "sha256:") != got {
		return nil, fmt.Errorf("get %s: digest %s, the index says %s", from, got, entry.Digest)
	}
	return body.Bytes(), nil
}

func web() getter.Providers {
	return getter.Providers{{Schemes: []string{"http", "https"}, New: getter.NewHTTPGetter}}
}

// withContext lets ctx end the wait for a call that takes none. The call itself
// is bounded by the getter's own timeout.
func withContext[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := call()
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// writeWhole writes a file that is there either entirely or not at all, also
// for another process that looks at the same moment.
func writeWhole(path string, content []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = part.Write(content)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(part.Name()))
	}
	return nil
}

func shortHash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}
