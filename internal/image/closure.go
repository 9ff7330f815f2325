package image

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
)

// libraryDirs is where Debian's dynamic loader looks.
var libraryDirs = [...]string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64"} //nolint:gochecknoglobals // a constant list

// Closure lists the programs, given as paths below root, together with every
// shared library and loader that they need, as files of a layer. It is how an
// image gets iptables or glibc without a distribution around it.
func Closure(root string, programs ...string) ([]File, error) {
	found := map[string]File{}
	queue := programs
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if _, done := found[path]; done {
			continue
		}
		target, err := resolve(root, path)
		if err != nil {
			return nil, err
		}
		found[path] = File{Path: path, From: filepath.Join(root, target), Mode: 0o755}
		needed, err := needs(root, target)
		if err != nil {
			return nil, err
		}
		queue = append(queue, needed...)
	}
	return sortedFiles(found), nil
}

func sortedFiles(found map[string]File) []File {
	files := make([]File, 0, len(found))
	for _, file := range found {
		files = append(files, file)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}

// resolve follows symbolic links inside root.
func resolve(root, path string) (string, error) {
	for range 16 {
		target, err := os.Readlink(filepath.Join(root, path))
		if errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s is not in the base system: %w", path, err)
		}
		if err != nil {
			return path, nil //nolint:nilerr // what is no link is where the links end
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

// needs lists the loader and libraries of one program; a script needs none.
func needs(root, path string) ([]string, error) {
	program, err := elf.Open(filepath.Join(root, path))
	if _, notELF := errors.AsType[*elf.FormatError](err); notELF || errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer program.Close()
	libraries, err := program.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("libraries of %s: %w", path, err)
	}
	var files []string
	for _, library := range libraries {
		file, err := locate(root, library)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, file)
	}
	if loader := interpreter(program); loader != "" {
		files = append(files, loader)
	}
	return files, nil
}

func locate(root, library string) (string, error) {
	for _, dir := range libraryDirs {
		path := filepath.Join(dir, library)
		if exists(filepath.Join(root, path)) {
			return path, nil
		}
	}
	return "", fmt.Errorf("library %s is not in the base system", library)
}

// interpreter is the path of a program's dynamic loader, empty if it is static.
func interpreter(program *elf.File) string {
	section := program.Section(".interp")
	if section == nil {
		return ""
	}
	data, err := section.Data()
	if err != nil || len(data) == 0 {
		return ""
	}
	return string(data[:len(data)-1])
}
