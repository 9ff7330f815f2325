package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/wayproof/wayproof/fixtures/manifests"
	"github.com/wayproof/wayproof/internal/catalogue"
)

// Digest is that of what the mutant puts into the mesh otherwise than its
// scenario does: a result is about the defect as it is now if it bears the same,
// also where the ground that both stand on has changed since.
func (m Mutant) Digest() (string, error) {
	scenario, err := m.scenario()
	if err != nil {
		return "", err
	}
	sound, err := Rendered(scenario)
	if err != nil {
		return "", fmt.Errorf("render scenario %s: %w", scenario.ID, err)
	}
	m.make(&scenario)
	spoilt, err := Rendered(scenario)
	if err != nil {
		return "", fmt.Errorf("render mutant %s: %w", m.Name, err)
	}
	digest := sha256.New()
	fmt.Fprintf(digest, "%q %q", beyond(spoilt, sound), beyond(sound, spoilt))
	return hex.EncodeToString(digest.Sum(nil)[:8]), nil
}

// beyond are the lines of a text that another has not.
func beyond(text, other string) []string {
	known := map[string]bool{}
	for line := range strings.Lines(other) {
		known[line] = true
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !known[line] {
			lines = append(lines, line)
		}
	}
	return lines
}

// Rendered is everything that a scenario puts into the mesh, in a stable text of a
// line for each object. An object that a server would not take is an error.
func Rendered(s catalogue.Scenario) (string, error) {
	var out strings.Builder
	for _, part := range []struct {
		name   string
		pieces []catalogue.Piece
	}{{"setup", s.Setup}, {"apply", s.Apply}} {
		for _, piece := range part.pieces {
			if err := renderPiece(&out, part.name, piece); err != nil {
				return "", fmt.Errorf("%s: %w", piece.File, err)
			}
		}
	}
	replicas, err := json.Marshal(s.Replicas)
	out.Write(replicas)
	return out.String(), err
}

func renderPiece(out *strings.Builder, part string, piece catalogue.Piece) error {
	objects, err := objectsOf(piece)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if len(piece.Only) > 0 && !slices.Contains(piece.Only, object.GetKind()) {
			continue
		}
		line, err := renderObject(piece, object)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s %s\n", part, line)
	}
	dials, err := json.Marshal([]any{piece.Weights, piece.Sampling})
	fmt.Fprintf(out, "%s %s %s\n", part, piece.File, dials)
	return err
}

func objectsOf(piece catalogue.Piece) ([]*unstructured.Unstructured, error) {
	if piece.Route == nil {
		return manifests.Objects(piece.File)
	}
	route, err := manifests.Encode(piece.Route)
	return []*unstructured.Unstructured{route}, err
}

func renderObject(piece catalogue.Piece, object *unstructured.Unstructured) (line []byte, err error) {
	if piece.Change != nil {
		if object, err = piece.Change(object); err != nil || object == nil {
			return nil, err
		}
	}
	if !piece.Lenient {
		if err := manifests.Strict(object); err != nil {
			return nil, err
		}
	}
	return object.MarshalJSON()
}
