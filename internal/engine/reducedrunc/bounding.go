package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// names are the capabilities by number, as in the kernel's capability.h.
const names = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
	"NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE " +
	"SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL " +
	"SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"

// boundingSet is what this process, and so a container, may have at all.
func boundingSet() (map[string]bool, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, fmt.Errorf("read this process's capabilities: %w", err)
	}
	return parseBounding(string(status))
}

func parseBounding(status string) (map[string]bool, error) {
	_, rest, found := strings.Cut(status, "CapBnd:")
	line, _, _ := strings.Cut(rest, "\n")
	mask, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if err != nil || !found {
		return nil, fmt.Errorf("no bounding set in this process's status (%q)", line)
	}
	set := map[string]bool{}
	for number, name := range strings.Fields(names) {
		if mask&(1<<number) != 0 {
			set["CAP_"+name] = true
		}
	}
	return set, nil
}
