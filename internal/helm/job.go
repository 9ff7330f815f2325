package helm

import (
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// job is one call's work on one release.
type job struct {
	configuration *action.Configuration
	want          Release
	chart         *chart.Chart
	digest        string
}

func (j job) labels() map[string]string { return map[string]string{digestLabel: j.digest} }

func (j job) install(ctx context.Context) error {
	install := action.NewInstall(j.configuration)
	install.ReleaseName, install.Namespace = j.want.Name, j.want.Namespace
	install.CreateNamespace = j.want.CreateNamespace
	install.Wait, install.Timeout = j.want.Wait > 0, j.want.Wait
	install.Labels = j.labels()
	install.Replace = true // a record of "uninstalled" must not block the name
	values, err := copied(j.want.Values)
	if err != nil {
		return err
	}
	if _, err := install.RunWithContext(ctx, j.chart, values); err != nil {
		return fmt.Errorf("install %s: %w", j.want.Source, err)
	}
	return nil
}

func (j job) upgrade(ctx context.Context) error {
	upgrade := action.NewUpgrade(j.configuration)
	upgrade.Namespace = j.want.Namespace
	upgrade.Wait, upgrade.Timeout = j.want.Wait > 0, j.want.Wait
	upgrade.Labels = j.labels()
	upgrade.ResetValues = true
	upgrade.MaxHistory = keptRevisions
	values, err := copied(j.want.Values)
	if err != nil {
		return err
	}
	if _, err := upgrade.RunWithContext(ctx, j.want.Name, j.chart, values); err != nil {
		return fmt.Errorf("upgrade to %s: %w", j.want.Source, err)
	}
	return nil
}

// repair takes over from a call that failed or was killed. Its revision is put
// down as failed, for Helm upgrades over a failure but refuses to touch what
// looks like work in progress; if the upgrade cannot mend it, the release is
// removed and installed anew.
func (j job) repair(ctx context.Context, last *release.Release) error {
	if last.Info.Status == release.StatusUninstalling {
		return j.reinstall(ctx)
	}
	if last.Info.Status.IsPending() {
		last.SetStatus(release.StatusFailed, "interrupted: taken over by a later call")
		if err := j.configuration.Releases.Update(last); err != nil {
			return fmt.Errorf("take over revision %d: %w", last.Version, err)
		}
	}
	err := j.upgrade(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return j.reinstall(ctx)
}

func (j job) reinstall(ctx context.Context) error {
	uninstall := action.NewUninstall(j.configuration)
	uninstall.Wait, uninstall.Timeout = j.want.Wait > 0, j.want.Wait
	uninstall.IgnoreNotFound = true
	if _, err := uninstall.Run(j.want.Name); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
		return fmt.Errorf("remove a broken revision: %w", err)
	}
	return j.install(ctx)
}
