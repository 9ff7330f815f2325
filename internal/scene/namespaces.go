package scene

import (
	"slices"

	"github.com/wayproof/wayproof/fixtures/manifests"
)

// Namespaces are those that the scenarios make for themselves, read off the
// demo's own files: a preflight asks whether they are free.
func Namespaces() ([]string, error) {
	var names []string
	for _, pieces := range layers() {
		for _, piece := range pieces {
			objects, err := manifests.Objects(piece.File)
			if err != nil {
				return nil, err
			}
			for _, object := range objects {
				if object.GetKind() == "Namespace" {
					names = append(names, object.GetName())
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
