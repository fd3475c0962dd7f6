#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# First process of a VM in the lab's host, where starting a program takes a third
# of a second: what the shell can do itself, it does.  The kernel log goes to the first
# serial port; the second one belongs to the program.  Settings come from
# /lab/settings, the command from /lab/command.

export PATH=/lab:/bin HOME=/lab TERM="${TERM:-vt100}"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null

# defaults; /lab/settings overrides
key=lab port=/dev/ttyS1 driver=none finish=n modules=
. /lab/settings
export DRIVER=$driver
read -r line </proc/cmdline
for word in $line; do
	case $word in lab.vm=*) export VM=${word#lab.vm=} ;; esac
done
stty -F $port raw -echo 2>/dev/null

for m in $modules; do
	modprobe $m || echo "lab: cannot load $m"
done

# Each endpoint that is passed through, to the driver that was asked for.
case $driver in
vfio-pci)
	modprobe -q iommufd
	modprobe vfio-pci ids=1af4:6da1 ;;
none)	;;
*)
	modprobe $driver
	for dev in /sys/bus/pci/devices/*; do
		read -r vendor <$dev/vendor
		read -r device <$dev/device
		[ $vendor$device = 0x1af40x6da1 ] || continue
		echo $driver >$dev/driver_override
		echo ${dev##*/} >/sys/bus/pci/drivers_probe
	done ;;
esac

cd /lab || exit
if [ -f /lab/interactive ]; then
	stty -F $port sane
	size="rows ${rows:-24} cols ${cols:-80}"
	setsid -c sh -c "stty $size; . /lab/command" <$port >$port 2>&1
else
	sh -c '. /lab/command' <$port >$port 2>&1
fi
status=$?

if [ $finish = y ]; then
	[ $driver = none ] || rmmod $driver
	if [ -f /sys/kernel/debug/kmemleak ]; then
		sleep 6
		echo scan >/sys/kernel/debug/kmemleak
		cat /sys/kernel/debug/kmemleak
	fi
fi >/dev/console 2>&1

printf '\001%s %d\n' "$key" $status >$port
poweroff -f
