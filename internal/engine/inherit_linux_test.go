package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestChildrenDoNotInheritOurFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	fd, err := unix.Open(path, unix.O_RDONLY, 0) // as a shell's `exec 9>lock` leaves it
	require.NoError(t, err)
	defer unix.Close(fd)
	held := func() string {
		output, _ := exec.Command("readlink", fmt.Sprintf("/proc/self/fd/%d", fd)).Output()
		return string(output)
	}
	require.Contains(t, held(), path, "the test sees what is inherited")
	require.NoError(t, keepOwnFiles())
	require.NotContains(t, held(), path)
}
