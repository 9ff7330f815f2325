package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/wayproof/wayproof/internal/record"
)

// Apply creates or changes objects in the order given, by server-side apply
// with strict field validation: what the server does not know, it refuses, and
// the error (an *ApplyError) carries its words. Findings are the server's
// warnings and fields that it dropped all the same.
//
// An object that somebody else made is left alone if it already is as
// declared, which is a finding too, and refused as *Foreign if not.
func (c *Cluster) Apply(ctx context.Context, owner Owner, manifests []Manifest) ([]record.Finding, error) {
	return c.each(ctx, owner, manifests, c.strictly)
}

// ApplyLenient does what kubectl --validate=warn does: unknown fields are
// dropped by the server with a warning. It exists to show what a file that
// strict validation refuses would have become.
func (c *Cluster) ApplyLenient(ctx context.Context, owner Owner, manifests []Manifest) ([]record.Finding, error) {
	return c.each(ctx, owner, manifests, c.leniently)
}

// writer sends one stamped object and returns it as stored.
type writer func(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error)

func (c *Cluster) each(ctx context.Context, owner Owner, manifests []Manifest, write writer) ([]record.Finding, error) {
	var findings []record.Finding
	for _, manifest := range manifests {
		found, err := c.applyOne(ctx, owner, manifest, write)
		findings = append(findings, found...)
		if err != nil {
			return findings, err
		}
	}
	return findings, nil
}

func (c *Cluster) applyOne(ctx context.Context, owner Owner, manifest Manifest, write writer) ([]record.Finding, error) {
	how, err := c.stands(ctx, owner, manifest.Object)
	if err != nil {
		return nil, fmt.Errorf("apply %s from %s: %w", manifest, manifest.File, err)
	}
	if how == foreign {
		return c.asDeclared(ctx, manifest)
	}
	sent := owner.stamp(manifest.Object, how == adopted)
	watched, heard := withWarnings(ctx)
	stored, err := write(watched, sent)
	findings := findingsOf(manifest, heard.list(), nil)
	if err != nil {
		return findings, refusal(manifest, err)
	}
	return append(findings, findingsOf(manifest, nil, Pruned(sent, stored))...), nil
}

func (c *Cluster) strictly(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.serverSide(ctx, object)
}

func (c *Cluster) serverSide(ctx context.Context, object *unstructured.Unstructured, more ...client.PatchOption) (*unstructured.Unstructured, error) {
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	stored := object.DeepCopy()
	options := append([]client.PatchOption{client.FieldOwner(Manager), client.ForceOwnership, strict}, more...)
	err = c.objects.Patch(ctx, stored, client.RawPatch(types.ApplyPatchType, body), options...)
	return stored, err
}

// strict makes the server refuse unknown and duplicate fields.
const strict = client.FieldValidation(metav1.FieldValidationStrict)

func (c *Cluster) leniently(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	const warn = client.FieldValidation(metav1.FieldValidationWarn)
	stored := object.DeepCopy()
	err := c.objects.Create(ctx, stored, client.FieldOwner(Manager), warn)
	if !apierrors.IsAlreadyExists(err) {
		return stored, err
	}
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	stored = object.DeepCopy()
	err = c.objects.Patch(ctx, stored, client.RawPatch(types.MergePatchType, body), client.FieldOwner(Manager), warn)
	return stored, err
}

// asDeclared accepts somebody else's object if applying ours would change
// nothing in it: the resource version of a dry run stays what it was.
func (c *Cluster) asDeclared(ctx context.Context, manifest Manifest) ([]record.Finding, error) {
	live, err := c.live(ctx, manifest.Object)
	if err != nil || live == nil {
		return nil, err
	}
	would, err := c.serverSide(ctx, manifest.Object, client.DryRunAll)
	if err != nil {
		return nil, refusal(manifest, err)
	}
	if !sameContent(live, would) {
		return nil, &Foreign{
			Object: manifest.String(),
			Remedy: "it differs from " + manifest.File + "; remove it or make it the same",
		}
	}
	return []record.Finding{{
		Object: manifest.String(),
		Text:   "was there already as " + manifest.File + " declares it, and is not wayproof's: left alone",
	}}, nil
}

func findingsOf(manifest Manifest, warned, pruned []string) []record.Finding {
	var findings []record.Finding
	for _, text := range warned {
		findings = append(findings, record.Finding{
			Object: manifest.String(),
			Text:   fmt.Sprintf("%s: the server warns: %s", manifest.File, text),
		})
	}
	for _, field := range pruned {
		findings = append(findings, record.Finding{
			Object: manifest.String(),
			Text:   fmt.Sprintf("%s: field %s was dropped by the server", manifest.File, field),
		})
	}
	return findings
}
