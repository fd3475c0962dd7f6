#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# First process of the lab's virtual machine.  The kernel log goes to the first
# serial port; the second one belongs to the program that the lab was asked to
# run.  Settings come from /lab/settings, the command from /lab/command.

export PATH=/lab:/bin HOME=/lab TERM="${TERM:-vt100}"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm /dev/hugepages
mount -t tmpfs tmpfs /dev/shm
grep -q debugfs /proc/filesystems && mount -t debugfs debugfs /sys/kernel/debug
grep -q hugetlbfs /proc/filesystems && mount -t hugetlbfs hugetlbfs /dev/hugepages

# defaults; /lab/settings overrides
key=lab port=/dev/ttyS1 endpoints=y vfio=y gpasid=y finish=n hugepages=0 modules=
. /lab/settings

stty -F $port raw -echo 2>/dev/null

[ "$hugepages" = 0 ] || echo "$hugepages" >/proc/sys/vm/nr_hugepages

# Ours first: what loads later finds its operations registered.
ours="ioasid gpasid intel-gpasid"
modprobe -q iommufd
if [ $gpasid = y ]; then
	for m in $ours; do
		modprobe -q $m
	done
fi
# With the ID known beforehand, each endpoint is bound as it appears.
[ $vfio = y ] && modprobe -q vfio-pci ids=1af4:6da1
if [ $endpoints = y ] && ! modprobe vtdsim_ep; then
	echo "lab: no endpoints"
	poweroff -f
fi
for m in $modules; do
	modprobe $m || echo "lab: cannot load $m"
done

cd /lab || exit
if [ -f /lab/interactive ]; then
	stty -F $port sane
	# The size is the open terminal's: it goes with the last that closes it.
	size="rows ${rows:-24} cols ${cols:-80}"
	setsid -c sh -c "stty $size; . /lab/command" <$port >$port 2>&1
else
	sh -c '. /lab/command' </dev/null >$port 2>&1
fi
status=$?

# A leak that a module's data still points to is none to kmemleak: unload what
# can be unloaded, leaves first, then look.
unload_all()
{
	for round in 1 2 3 4 5 6 7 8 9 10; do
		while read -r m size uses rest; do
			[ "$uses" != 0 ] || rmmod $m
		done </proc/modules
		read -r rest </proc/modules || break
		sleep 0.3
	done 2>/dev/null
	while read -r rest; do
		echo "lab: BUG: cannot be unloaded: $rest"
	done </proc/modules
}

if [ $finish = y ]; then
	unload_all
	if [ -f /sys/kernel/debug/kmemleak ]; then
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
		cat /sys/kernel/debug/kmemleak
	fi
fi >/dev/console 2>&1

if [ -f /lab/interactive ]; then
	echo "$key $status"
else
	printf '\001%s %d\n' "$key" $status >$port
fi
poweroff -f
