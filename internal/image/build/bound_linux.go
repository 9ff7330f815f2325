package build

import (
	"os/exec"
	"syscall"
	"time"
)

// endWait is how long a program that was asked to end may take to clean up.
const endWait = 15 * time.Second

// bound has a program end with this run: asked first where the run is aborted,
// and by the kernel where the run is killed. The kernel does so when the thread
// that started the program ends; Go keeps its threads as long as it runs.
func bound(cmd *exec.Cmd) *exec.Cmd {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endWait
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return cmd
}

// alone is bound, with mounts that nobody else sees and that go with the
// program: debootstrap mounts /proc in its target, and a killed one leaves it.
func alone(cmd *exec.Cmd) *exec.Cmd {
	bound(cmd).SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	return cmd
}
