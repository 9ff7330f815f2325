// Package netns makes sockets inside the network namespaces of pods, with the
// marks that istio-cni's rules look for. It opens and dials; what is said over
// the sockets is not its concern.
package netns

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// ID tells one network namespace from another for as long as either lives.
type ID struct{ Device, Inode uint64 }

// Namespace is an open network namespace. While it is open the kernel keeps
// the namespace alive, so it must be closed when the pod goes.
type Namespace struct {
	file *os.File
	id   ID
	// inside has one visitor at a time: a burst of connections would have each
	// take a thread of its own, and the runtime never gives threads back.
	inside sync.Mutex
}

// Open takes ownership of a descriptor received from istio-cni. A descriptor
// that is not a network namespace is closed and refused.
func Open(file *os.File) (*Namespace, error) {
	kind, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE)
	if err == nil && kind != unix.CLONE_NEWNET {
		err = fmt.Errorf("its namespace type is %#x", kind)
	}
	if err != nil {
		_ = file.Close() // the refusal is what counts
		return nil, fmt.Errorf("descriptor is not a network namespace: %w", err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("stat network namespace: %w", err)
	}
	return &Namespace{file: file, id: ID{Device: stat.Dev, Inode: stat.Ino}}, nil
}

// ID is equal for two descriptors of the same namespace.
func (n *Namespace) ID() ID { return n.id }

// Close lets the kernel free the namespace once its processes are gone.
func (n *Namespace) Close() error {
	if err := n.file.Close(); err != nil {
		return fmt.Errorf("close network namespace %d: %w", n.id.Inode, err)
	}
	return nil
}

// Do runs work on a thread inside the namespace. Sockets made there stay there
// and may be used from any goroutine afterwards. Work must not block for long:
// it holds a thread of its own, and everybody else out.
func (n *Namespace) Do(work func() error) error {
	n.inside.Lock()
	defer n.inside.Unlock()
	done := make(chan error, 1)
	go func() { done <- n.visit(work) }()
	return <-done
}

// visit leaves the goroutine locked when the way back fails, so that the
// runtime discards the thread with the goroutine instead of letting other code
// run in the pod's namespace.
func (n *Namespace) visit(work func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer home.Close()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace %d: %w", n.id.Inode, err)
	}
	workErr := work()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("leave network namespace %d: %w", n.id.Inode, err)
	}
	runtime.UnlockOSThread()
	return workErr
}
