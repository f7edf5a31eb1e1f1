#!/bin/busybox sh
# The first process of a test guest: mounts what a host has, checks that the
# agent refuses to run where it cannot, runs the end-to-end tests, and tells the
# outside. Console on ttyS0, results on ttyS1.
#
# The outside believes a success only if it reads the line EXIT and gets the same
# number by the exit device: a panic, a hang or a failed boot has neither.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
set -o pipefail

mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs trace /sys/kernel/tracing

up=$(cut -d' ' -f1 /proc/uptime)
for module in /modules/*.ko; do
    insmod "$module" || echo "cannot load $module" >/dev/console
done
# By its path: the shell would prefer its own applet.
/bin/ip link set lo up

# Runs the agent where it has to refuse: exit code 1, a message that has the
# given word, nothing left pinned. Printed as libtest prints, to be counted so.
refuses() {
    name=$1 word=$2
    shift 2
    said=$(timeout -s KILL 60 "$@" 2>&1)
    code=$?
    if [ $code -ne 1 ]; then
        why="exit code $code instead of 1"
    elif ! echo "$said" | grep -qi "$word"; then
        why="no word of $word"
    elif [ -e /sys/fs/bpf/landlord ]; then
        why="something is left pinned"
    else
        echo "test $name ... ok"
        passed=$((passed + 1))
        return
    fi
    echo "test $name ... FAILED"
    echo "$why; it said:"
    echo "$said"
    failed=$((failed + 1))
}

refusals() {
    passed=0 failed=0
    mkdir /tmp/v1
    mount -t tmpfs cgroup /sys/fs/cgroup
    mkdir /sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    refuses doctor_refuses_cgroup_v1 cgroup landlord doctor
    refuses run_refuses_cgroup_v1 cgroup landlord run
    umount /sys/fs/cgroup/systemd
    umount /sys/fs/cgroup

    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    for controller in cpu memory io pids; do
        echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
    done
    mount -t tmpfs empty /sys/kernel/btf
    refuses doctor_refuses_without_btf btf landlord doctor
    refuses run_refuses_without_btf btf landlord run
    umount /sys/kernel/btf
    result=ok
    [ $failed -eq 0 ] || result=FAILED
    echo "test result: $result. $passed passed; $failed failed; 0 ignored"
    [ $failed -eq 0 ]
}

all() {
    echo "BOOT $up"
    rc=0
    refusals || rc=1
    cd /tmp || rc=1
    # Through a pipe: on a terminal the programs under test would use colours.
    end-to-end --test-threads=1 --show-output $FILTER 2>&1 </dev/null | cat || rc=$?
    echo "EXIT $rc"
}

export LANDLORD_BIN=/bin/landlord LANDLORD_WORKLOAD=/bin/workload LANDLORD_VM=1
FILTER=$(cat /filter)
[ ! -e /long ] || export LANDLORD_LONG=1
# Closing the port waits until all is sent, which has to be before the end.
all >/dev/ttyS1 2>&1

# 16 more, so that no number is one that qemu ends with by itself; at most what
# fits when the device doubles it.
code=$((rc > 111 ? 111 : rc))
printf "\\$(printf %o $((code + 16)))" | dd of=/dev/port bs=1 seek=244 count=1 2>/dev/null
poweroff -f
