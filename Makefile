# SPDX-License-Identifier: GPL-2.0-only
#
# gpasid: guest PASIDs on Intel VT-d, and a lab to run them in.  `make help`.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

setup:
	@scripts/setup

kernel-release kernel-debug kernel-pristine: kernel-%: setup
	@scripts/kernel build $*

# vtdsim, the initramfs and the programs that run in the lab.
lab: kernel-release
	@scripts/lab prepare
	@scripts/check --programs

run: lab
	@scripts/lab run --no-build --check-log -- build/selftests/gpasid_run

# An unmodified QEMU 11 with a Linux guest, on KERNEL as the host.
vm: lab
	@scripts/lab vm --no-build --check-log $(if $(KERNEL),--kernel $(KERNEL)) \
		--host-push build/selftests/vm_calls.so \
		--host-program build/selftests/vm_story -- build/selftests/vm_guest

# SUITES='kunit lab' runs some; scripts/check --list tells which there are.
check: setup
	@scripts/check $(SUITES)

# One rule broken at a time: some test has to turn red each time.
mutate: setup
	@scripts/mutate $(MUTATIONS)

# Side by side with an unmodified Linux 7.x.  QUICK=1: less of it.
bench: setup
	@scripts/setup bench
	@scripts/bench $(if $(QUICK),--quick)

# The project as patches for linux-source-6.12, in build/patches.
patch: setup
	@scripts/kernel patch

# Debian packages of a kernel with them; CONFIG=FILE replaces the running one's.
deb: setup
	@scripts/kernel deb $(CONFIG)

# Headers, libraries, tools and man pages: DESTDIR, PREFIX (/usr/local).
PREFIX ?= /usr/local
install: setup
	@khdr=$$(scripts/kernel headers) && for d in lib/gpasid lib/vtd gpasid vsva; do \
		$(MAKE) -s -C tools/$$d O=$(CURDIR)/build/install/$$d KHDR=$$khdr \
			PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) install || exit; done

# What install has written there.
uninstall: setup
	@rm -rf build/install/root
	@$(MAKE) install DESTDIR=$(CURDIR)/build/install/root
	@cd build/install/root && find . ! -type d -printf '$(DESTDIR)/%P\n' | xargs -d '\n' rm -f

htmldocs: setup
	@scripts/kernel htmldocs

clean:
	rm -rf build

help:
	@echo 'make run             boot the lab and show a guest PASID at work'
	@echo 'make vm              an unmodified QEMU with a Linux guest, in the lab'
	@echo 'make check           all tests; the last line says N passed, N failed'
	@echo 'make mutate          break one rule at a time and see that a test notices'
	@echo 'make bench           what it costs, beside an unmodified Linux 7.x; QUICK=1'
	@echo
	@echo 'make patch           patches for linux-source-6.12, in build/patches'
	@echo 'make deb             Debian packages of a kernel with them (CONFIG=FILE), in build/deb'
	@echo 'make install         headers, libgpasid, libvvtd, gpasid, vsva, man pages (DESTDIR, PREFIX)'
	@echo 'make uninstall       remove them (DESTDIR, PREFIX as they were)'
	@echo 'make htmldocs        the documentation, in build/htmldocs'
	@echo
	@echo 'make kernel-release  the kernel of make run (also: -debug, -pristine)'
	@echo 'make lab             vtdsim and all that the lab needs beside a kernel'
	@echo 'make clean           remove build/'
	@echo
	@echo 'scripts/lab --help   boot any program in the lab'
	@echo 'scripts/check --list the suites of make check'

.PHONY: setup kernel-release kernel-debug kernel-pristine lab run vm check mutate bench patch deb install uninstall htmldocs clean help
