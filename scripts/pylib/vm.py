# SPDX-License-Identifier: GPL-2.0-only
"""A VM in the lab: QEMU inside the lab's host, and a guest in that.

The host is the lab as ever.  In its memory it finds one more archive, with
QEMU, and in /lab the guest's kernel and initramfs, the arguments for QEMU, and
the program that starts it: vm_launch, or what --host-program names.  What the
guest's kernel and QEMU say is in the host's kernel log after "vmN: ".
"""

import argparse
import re
import shlex
import shutil
import sys

from . import initramfs, kernel, programs, qemu
from .lab import Lab, command, kernel_directory
from .tree import BUILD, TOP, BuildError

LAUNCH = BUILD / "selftests/vm_launch"
VSVA = BUILD / "selftests/vsva"
VSVA_COUNTERS = "/tmp/vsva.counters"	# in vm_paging.c
QEMU = "/usr/bin/qemu-system-x86_64"
REGISTERS = 0x8000000			# of vsva's unit, in the guest's memory
INIT = TOP / "scripts/guest-init.sh"
ENDPOINTS = ("0001:00:00.0", "0001:00:01.0", "0002:00:00.0", "0002:00:01.0")
ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
LOG_FD = 3			# in lab_vm.c
RAM = {"private": "memory-backend-ram", "memfd": "memory-backend-memfd,share=on",
       "hugetlb": "memory-backend-memfd,share=on,hugetlb=on,hugetlbsize=2M"}


def add_arguments(parser):
    add = parser.add_argument
    add("--guest-kernel", default="release", metavar="NAME|DIR",
        help="as --kernel; release (the default) has a switch for SVA in a guest")
    add("--guest-driver", metavar="NAME",
        help="for the endpoint in the guest: vtdsim_sva, vtdsim_pasid, vfio-pci or none (default: "
             "vtdsim_sva on release and debug and with --vsva, else vfio-pci)")
    add("--guest-append", default="", metavar="TEXT", help="more for the guest's command line")
    add("--guest-mem", default="256M", metavar="SIZE", help="memory of a guest (default: 256M)")
    add("--guest-ram", default="private", choices=RAM, metavar="KIND",
        help="what a guest's memory is: private (the default), memfd, which is shared, or "
             "hugetlb, the same in pages of 2 MiB, which --hugepages sets aside in the host")
    add("--guest-modprobe", action="append", default=[], metavar="MODULE",
        help="one more module to load in the guest; may be repeated")
    add("--dev", action="append", default=[], metavar="ADDRESS",
        help="an endpoint to pass through; may be repeated: dealt out to the VMs in turn "
             "(default: 0001:00:00.0 and so on, one for each VM)")
    add("--root-port", action="store_true",
        help="put each endpoint behind a root port, in a slot that can lose its power")
    add("--hot-plug", action="store_true",
        help="a root port for each endpoint, its slot empty: the host's program plugs")
    add("--vsva", action="store_true",
        help="a QEMU without an IOMMU, and tools/vsva beside it as the guest's VT-d unit")
    add("--vms", type=int, default=1, metavar="N", help="VMs side by side, 1 to 4")
    add("--vm-arg", action="append", default=[], metavar="ARG",
        help="one more argument for the QEMU in the host")
    add("--host-program", default="", metavar="'FILE ARG...'",
        help="a static program that the host runs in place of vm_launch; its exit status counts")
    add("--host-push", action="append", default=[], metavar="FILE[:NAME]",
        help="a file to have in the host's /lab")


def devices(args):
    """Addresses of the endpoints of each VM."""
    if not 1 <= args.vms <= len(ENDPOINTS):
        raise BuildError(f"--vms {args.vms}: 1 to {len(ENDPOINTS)}")
    listed = args.dev or ENDPOINTS[:args.vms]
    for address in listed:
        if not ADDRESS.fullmatch(address):
            raise BuildError(f"--dev {address}: not an address such as {ENDPOINTS[0]}")
    return [listed[i::args.vms] for i in range(args.vms)]


def guest_driver(args):
    if args.guest_driver:
        return args.guest_driver
    return "vtdsim_sva" if args.vsva or args.guest_kernel in ("release", "debug") else "vfio-pci"


def kernel_append(args, index):
    reserved = f"memmap=64K${REGISTERS:#x} " if args.vsva else ""
    return ("console=ttyS0 panic=1 no_timer_check nokaslr tsc=reliable loglevel=5 "
            "rcupdate.rcu_cpu_stall_timeout=100 intel_iommu=on,sm_on "
            f"iommufd.allow_unsafe_interrupts=1 {reserved}"
            f"rdinit=/lab/guest-init.sh lab.vm={index} {args.guest_append}")


def vsva_arguments(args, addresses):
    """What stands before QEMU's own: vsva adds memory, device and table."""
    return ["/lab/vsva", "--device", *addresses, "--memory", args.guest_mem,
            "--registers", f"{REGISTERS:#x}", "--counters", VSVA_COUNTERS, "--", QEMU]


def unit_arguments(args, addresses):
    """Memory, QEMU's own unit, and the devices."""
    argv = ["-machine", "memory-backend=ram", "-m", args.guest_mem,
            "-object", f"{RAM[args.guest_ram]},id=ram,size={args.guest_mem}",
            "-device", "intel-iommu,scalable-mode=on,fsts=on,pasid-bits=20,aw-bits=48,"
                       "caching-mode=on,device-iotlb=on",
            "-object", "iommufd,id=iommufd0"]
    if args.root_port:
        argv += ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]
    for i, address in enumerate(addresses):
        bus = ""
        if args.root_port or args.hot_plug:
            argv += ["-device", f"pcie-root-port,id=port{i},chassis={i + 1}"]
            bus = f"bus=port{i},"
        if not args.hot_plug:
            argv += ["-device", f"vfio-pci,id=ep{i},{bus}host={address},iommufd=iommufd0"]
    return argv


def vm_arguments(args, index, addresses):
    """One in a line: what QEMU, or the program that starts it, gets for a VM."""
    argv = vsva_arguments(args, addresses) if args.vsva else []
    argv += ["-L", "/usr/share/qemu", "-L", "/usr/share/seabios", "-nodefaults", "-no-user-config",
             "-no-reboot", "-display", "none", "-accel", "tcg", "-machine", "q35"]
    if not args.vsva:
        argv += unit_arguments(args, addresses)
    argv += ["-chardev", f"file,id=log,path=/proc/self/fd/{LOG_FD}", "-serial", "chardev:log",
             "-chardev", "stdio,id=program,signal=off", "-serial", "chardev:program",
             "-qmp", f"pipe:/tmp/vm{index}.monitor",
             "-kernel", "/lab/guest-kernel", "-initrd", "/lab/guest-initrd",
             "-append", kernel_append(args, index), *args.vm_arg]
    return "".join(f"{a}\n" for a in argv)


def check_vsva(args):
    """What the virtual unit beside QEMU cannot do."""
    if args.root_port or args.hot_plug or args.guest_ram != "private" or \
       any(len(d) > 1 for d in devices(args)):
        raise BuildError("--vsva: one endpoint for each VM, without a port, and memory of its own kind")


class VmLab(Lab):
    """A lab whose host runs QEMU."""

    def __init__(self, args):
        super().__init__(args)
        # A processor for each guest's, and for vsva, up to the two that a small machine has.
        self.cpus = max(self.cpus, min(args.vms + args.vsva, 2))

    def prepare(self):
        if self.args.vsva:
            check_vsva(self.args)
        self.guest_dir = kernel_directory(self.args, self.args.guest_kernel)
        self.qemu_archive = qemu.fetch()
        if not self.args.no_build:
            programs.build()
        super().prepare()

    def guest_settings(self):
        out = {"key": self.key, "driver": guest_driver(self.args),
               "finish": "y" if self.args.check_log else "n",
               "modules": " ".join(["vtdsim_caps"] * self.args.vsva + self.args.guest_modprobe)}
        if self.args.interactive and sys.stdout.isatty():
            size = shutil.get_terminal_size()
            out.update(rows=size.lines, cols=size.columns)
        return "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in out.items())

    def guest_initrd(self):
        text, files = command(self.args)
        texts = {"settings": self.guest_settings(), "command": text + "\n"}
        if self.args.interactive:
            texts["interactive"] = ""
        files["guest-init.sh"] = INIT
        return initramfs.base(self.guest_dir).read_bytes() + initramfs.extra(files, texts)

    def host_command(self):
        program = shlex.split(self.args.host_program) or [str(LAUNCH)]
        if self.args.interactive:
            program.append("--shell")
        push = self.args.host_push + [str(VSVA)] * self.args.vsva
        return command(argparse.Namespace(program=program, push=push))

    def contents(self):
        text, files = self.host_command()
        texts = {"settings": self.settings(), "command": f"exec {text} 2>&1\n",
                 "vm.key": f"{self.key} ", "guest-initrd": self.guest_initrd()}
        for i, addresses in enumerate(devices(self.args)):
            texts[f"vm{i}.args"] = vm_arguments(self.args, i, addresses)
        if self.args.interactive:
            texts["interactive"] = ""
        files["guest-kernel"] = self.guest_dir / "arch/x86/boot/bzImage"
        if not files["guest-kernel"].is_file():
            raise BuildError(f"no kernel at {files['guest-kernel']}")
        return self.qemu_archive.read_bytes() + initramfs.extra(files, texts)
