package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// File is one entry of a layer. Exactly one of From, Body, Link and Dir says
// what it is.
type File struct {
	Path string // absolute, in the image
	Mode int64
	From string // a file on this machine
	Body []byte
	Link string // target of a symbolic link
	Dir  bool
	UID  int
}

// Layer packs files into a layer. The bytes depend on the files alone: order
// is by path and every time is the epoch, so an unchanged input gives an
// unchanged digest.
func Layer(files []File) (v1.Layer, error) {
	return FromTar(Tar(files))
}

// Tar streams files as a tar archive.
func Tar(files []File) tarball.Opener {
	sorted := append(parents(files), files...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	return func() (io.ReadCloser, error) {
		reader, writer := io.Pipe()
		go func() { writer.CloseWithError(writeTar(writer, sorted)) }()
		return reader, nil
	}
}

// FromTar makes a layer of an uncompressed tar stream that can be opened again
// and again.
func FromTar(open tarball.Opener) (v1.Layer, error) {
	return packed(open, compression.ZStd)
}

// Plain makes a layer that stays uncompressed: older engines load nothing that
// zstd packed, and an archive that never leaves the machine gains nothing by it.
func Plain(open tarball.Opener) (v1.Layer, error) {
	return packed(open, compression.None)
}

func packed(open tarball.Opener, how compression.Compression) (v1.Layer, error) {
	layer, err := tarball.LayerFromOpener(open, tarball.WithCompression(how), tarball.WithCompressionLevel(1))
	if err != nil {
		return nil, fmt.Errorf("pack layer: %w", err)
	}
	return layer, nil
}

// parents lists the folders that files need and do not name themselves.
func parents(files []File) []File {
	named := map[string]bool{"/": true}
	for _, file := range files {
		named[file.Path] = true
	}
	var missing []File
	for _, file := range files {
		for dir := path.Dir(file.Path); !named[dir]; dir = path.Dir(dir) {
			named[dir] = true
			missing = append(missing, File{Path: dir, Dir: true, Mode: 0o755})
		}
	}
	return missing
}

func writeTar(to io.Writer, files []File) error {
	archive := tar.NewWriter(to)
	for _, file := range files {
		if err := writeFile(archive, file); err != nil {
			return fmt.Errorf("pack %s: %w", file.Path, err)
		}
	}
	return archive.Close()
}

func writeFile(archive *tar.Writer, file File) error {
	header := &tar.Header{
		Name: strings.TrimPrefix(file.Path, "/"), Mode: file.Mode, Uid: file.UID, Gid: file.UID,
		ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	}
	switch {
	case file.Dir:
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return archive.WriteHeader(header)
	case file.Link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, file.Link
		return archive.WriteHeader(header)
	case file.From != "":
		return writeFrom(archive, header, file.From)
	default:
		header.Size = int64(len(file.Body))
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(file.Body)
		return err
	}
}

func writeFrom(archive *tar.Writer, header *tar.Header, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, source)
	return err
}
