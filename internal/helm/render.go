package helm

import (
	"context"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
)

// Render gives the manifests that a release would consist of, without a
// cluster, as one stream of YAML documents. kubeVersion is what templates are
// told, such as v1.36.3.
func Render(ctx context.Context, want Release, kubeVersion string) (string, error) {
	loaded, err := want.Source.Load(ctx)
	if err != nil {
		return "", err
	}
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		return "", fmt.Errorf("kubernetes version %q: %w", kubeVersion, err)
	}
	install := action.NewInstall(new(action.Configuration))
	install.DryRun, install.ClientOnly, install.IncludeCRDs = true, true, true
	install.ReleaseName, install.Namespace = want.Name, want.Namespace
	install.KubeVersion = version
	values, err := copied(want.Values)
	if err != nil {
		return "", err
	}
	rendered, err := install.RunWithContext(ctx, loaded, values)
	if err != nil {
		return "", fmt.Errorf("render %s: %w", want.Source, err)
	}
	return rendered.Manifest, nil
}
