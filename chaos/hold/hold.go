//go:build linux

// Package hold delays the packets of a network namespace in user space, for
// kernels without netem: packets that a rule sends to a queue of netfilter are
// each let go a fixed time later, in their order. Every packet is delayed, of old
// connections and new ones, and none is changed.
//
// It sends nothing to the queue by itself; package deed makes the rule.
package hold

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Order says what to hold.
type Order struct {
	Network string // file of the network namespace: /proc/12/ns/net
	Queue   uint16
	By      time.Duration
}

// most is how many packets wait at once at most; further ones pass undelayed.
const most = 1 << 16

// Hold binds the queue and holds packets until ctx ends; then those that wait
// are let go, each in its time.
func Hold(ctx context.Context, order Order) error {
	socket, err := open(order.Network)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	if err := subscribe(socket, order.Queue); err != nil {
		return err
	}
	waiting := make(chan held, most)
	failed := make(chan error, 1)
	go func() {
		defer close(waiting)
		failed <- take(ctx, socket, order.By, waiting)
	}()
	return errors.Join(release(socket, order.Queue, waiting), <-failed)
}

// held is a packet and when it may go on.
type held struct {
	id  uint32
	due time.Time
}

// open makes a netlink socket inside a network namespace. A socket stays in the
// namespace that its thread was in; the thread itself is not used again.
func open(network string) (int, error) {
	type opened struct {
		socket int
		err    error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		socket, err := openHere(network)
		done <- opened{socket, err}
	}()
	one := <-done
	return one.socket, one.err
}

func openHere(network string) (int, error) {
	space, err := os.Open(network)
	if err != nil {
		return 0, fmt.Errorf("open network namespace: %w", err)
	}
	defer space.Close()
	if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
		return 0, fmt.Errorf("enter network namespace %s: %w", network, err)
	}
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, fmt.Errorf("open netlink socket: %w", err)
	}
	return socket, errors.Join(
		unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 20_000}))
}

// subscribe binds the queue, each step acknowledged by the kernel.
func subscribe(socket int, queue uint16) error {
	buffer := make([]byte, 8<<10)
	for _, step := range bind(queue, most) {
		if err := unix.Sendto(socket, step, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("ask for queue %d: %w", queue, err)
		}
		n, _, err := unix.Recvfrom(socket, buffer, 0)
		if err != nil {
			return fmt.Errorf("await the answer for queue %d: %w", queue, err)
		}
		answers, err := read(buffer[:n])
		if err != nil {
			return err
		}
		for _, answer := range answers {
			if answer.errno != 0 {
				return fmt.Errorf("bind queue %d: %w", queue, unix.Errno(-answer.errno))
			}
		}
	}
	return nil
}

// take notes each packet as it arrives, until ctx ends.
func take(ctx context.Context, socket int, by time.Duration, waiting chan<- held) error {
	buffer := make([]byte, 1<<16)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(socket, buffer, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOBUFS):
			continue // nothing yet, or more than fits: the kernel passes what it cannot queue
		case err != nil:
			return fmt.Errorf("read the queue: %w", err)
		}
		messages, err := read(buffer[:n])
		if err != nil {
			return err
		}
		due := time.Now().Add(by)
		for _, one := range messages {
			if one.packet {
				waiting <- held{one.id, due}
			}
		}
	}
	return nil
}

// release lets each packet go in its time, until no more come.
func release(socket int, queue uint16, waiting <-chan held) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for packet := range waiting {
		timer.Reset(time.Until(packet.due))
		<-timer.C
		err := unix.Sendto(socket, pass(queue, packet.id), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if err != nil {
			return fmt.Errorf("let packet %d go: %w", packet.id, err)
		}
	}
	return nil
}
