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

// Digest is that of everything that the mutant puts into the mesh: a result is
// about the defect as it is now if it bears the same.
func (m Mutant) Digest() (string, error) {
	scenario, err := m.scenario()
	if err != nil {
		return "", err
	}
	m.make(&scenario)
	text, err := Rendered(scenario)
	if err != nil {
		return "", fmt.Errorf("render mutant %s: %w", m.Name, err)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8]), nil
}

// Rendered is everything that a scenario puts into the mesh, in a stable text. An
// object that a server would not take is an error.
func Rendered(s catalogue.Scenario) (string, error) {
	var out strings.Builder
	for _, pieces := range [][]catalogue.Piece{s.Setup, s.Apply} {
		out.WriteString("\n---\n")
		for _, piece := range pieces {
			if err := renderPiece(&out, piece); err != nil {
				return "", fmt.Errorf("%s: %w", piece.File, err)
			}
		}
	}
	replicas, err := json.Marshal(s.Replicas)
	out.Write(replicas)
	return out.String(), err
}

func renderPiece(out *strings.Builder, piece catalogue.Piece) error {
	objects, err := objectsOf(piece)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if len(piece.Only) > 0 && !slices.Contains(piece.Only, object.GetKind()) {
			continue
		}
		if err := renderObject(out, piece, object); err != nil {
			return err
		}
	}
	return json.NewEncoder(out).Encode([]any{piece.Weights, piece.Sampling})
}

func objectsOf(piece catalogue.Piece) ([]*unstructured.Unstructured, error) {
	if piece.Route == nil {
		return manifests.Objects(piece.File)
	}
	route, err := manifests.Encode(piece.Route)
	return []*unstructured.Unstructured{route}, err
}

func renderObject(out *strings.Builder, piece catalogue.Piece, object *unstructured.Unstructured) (err error) {
	if piece.Change != nil {
		if object, err = piece.Change(object); err != nil || object == nil {
			return err
		}
	}
	if !piece.Lenient {
		if err := manifests.Strict(object); err != nil {
			return err
		}
	}
	line, err := object.MarshalJSON()
	out.Write(line)
	return err
}
