package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/wayproof/wayproof/internal/debian"
	"github.com/wayproof/wayproof/internal/image"
)

// suite is the Debian release of the node's root: its systemd is the last that
// still accepts cgroup v1.
const suite = "bookworm"

// rootPackages is what a kind node needs of a distribution.
const rootPackages = "systemd,dbus,conntrack,iptables,nftables,ipset,iproute2,ethtool,util-linux,mount,kmod,libseccomp2," +
	"e2fsprogs,bash,ca-certificates,curl,jq,procps,runc,hostname,socat"

// Root makes the root file system of a node: Debian's minimal base and the
// packages above, with the units that mean nothing in a container taken out.
func (b *Builder) Root(ctx context.Context) (string, error) {
	key := image.Key(suite, rootPackages, rootScript)
	dir, err := b.Cache.Ensure(ctx, "root", key, func(ctx context.Context, dir string) error {
		return b.step("bootstrap the node's root", func() error { return bootstrap(ctx, filepath.Join(dir, "root")) })
	})
	return filepath.Join(dir, "root"), err
}

func bootstrap(ctx context.Context, root string) error {
	if os.Geteuid() != 0 {
		return errors.New("bootstrap the node's root: this needs root; run as root, or choose IMAGES=pull or IMAGES=archive")
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		if err := debian.Install(ctx, "debootstrap"); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include="+rootPackages, suite, root)
	if err := run(alone(cmd), "debootstrap "+suite); err != nil {
		return err
	}
	if err := run(alone(exec.CommandContext(ctx, "chroot", root, "bash", "-c", rootScript)), "prepare the node's root"); err != nil {
		return err
	}
	pack := exec.CommandContext(ctx, "tar", "--numeric-owner", "--sort=name", "--mtime=@0", "--xattrs",
		"-C", root, "-cf", root+".tar", ".")
	return run(pack, "pack the node's root")
}

// rootScript leaves of systemd only what starts a kubelet. The machine id goes
// so that every node gets its own.
const rootScript = `set -e
find /lib/systemd/system/sysinit.target.wants -name systemd-tmpfiles-setup.service -delete
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/*
rm -f /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/*
rm -f /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*
echo ReadKMsg=no >> /etc/systemd/journald.conf
ln -sf /usr/lib/systemd/systemd /sbin/init
rm -rf /var/cache/apt/* /var/lib/apt/lists/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/*
truncate -s 0 /etc/machine-id
mkdir -p /etc/kubernetes/manifests /opt/cni/bin /LICENSES
`

// kindFiles lists the files that kind's own base image adds, with their modes.
func kindFiles(root string) ([]image.File, error) {
	var files []image.File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inImage := "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		mode := int64(0o644)
		if strings.Contains(inImage, "/bin/") {
			mode = 0o755
		}
		files = append(files, image.File{Path: inImage, From: path, Mode: mode})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list kind's node files: %w", err)
	}
	return files, nil
}
