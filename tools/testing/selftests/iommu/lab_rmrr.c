// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that firmware reserves for a device (RMRR): the kernel's own domain maps
 * it one to one, and a device that has some is not for users.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define SYS_DEVICES	"/sys/bus/pci/devices/"

FIXTURE(rmrr)
{
	struct lab_dev lab;
	__u64 base;
};

FIXTURE_VARIANT(rmrr)
{
	const char *address;
};

FIXTURE_VARIANT_ADD(rmrr, root) { .address = EP_1A };
FIXTURE_VARIANT_ADD(rmrr, port) { .address = EP_1P };

static int open_sys(const char *address, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), SYS_DEVICES "%s/%s", address, name);
	return open(path, flags | O_CLOEXEC);
}

static int read_sys(const char *address, const char *name, char *buf, int size)
{
	int fd = open_sys(address, name, O_RDONLY);
	int n = read(fd, buf, size - 1);

	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* What a driver does before its device makes DMA. */
static int switch_on(const char *address)
{
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	int fd = open_sys(address, "config", O_RDWR);
	int n = pwrite(fd, &command, sizeof(command), PCI_COMMAND);

	close(fd);
	return n == sizeof(command) ? 0 : -1;
}

/* Does the kernel's own domain translate? */
static bool translates(const char *address)
{
	char type[32];

	return read_sys(address, "iommu_group/type", type, sizeof(type)) > 0 &&
	       !strncmp(type, "DMA", 3);
}

FIXTURE_SETUP(rmrr)
{
	const struct vtdsim_regs *r;

	if (!translates(variant->address))
		SKIP(return, "no such device, or a default domain of type identity");
	ASSERT_EQ(0, lab_dev_open_sysfs(&self->lab, variant->address));
	ASSERT_EQ(0, switch_on(variant->address));
	r = lab_regs(&self->lab);
	self->base = VTDSIM_WINDOW_BASE + VTDSIM_RMRR_OFF(r->unit, r->ep);
}

FIXTURE_TEARDOWN(rmrr)
{
	lab_dev_close(&self->lab);
}

/* 8 bytes by the requester ID alone: written, and read again. */
static __u64 through(struct lab_dev *lab, __u64 addr, __u64 val)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_WRITE,
		.addr = addr,
		.len = sizeof(val),
	};

	memcpy(lab_local(lab, 0), &val, sizeof(val));
	if (lab_run(lab, 0, &d) != VTDSIM_DONE)
		return DENIED;
	memset(lab_local(lab, 0), 0, sizeof(val));
	d.op = VTDSIM_OP_READ;
	if (lab_run(lab, 0, &d) != VTDSIM_DONE)
		return DENIED;
	memcpy(&val, lab_local(lab, 0), sizeof(val));
	return val;
}

/* Where the unit takes an address without a PASID. */
static __u64 output(struct lab_dev *lab, __u64 addr)
{
	struct vtdsim_explain e;

	if (lab_explain(lab, 0, addr, &e) || e.reason)
		return 0;
	return e.output;
}

TEST_F(rmrr, the_default_domain_maps_it_one_to_one)
{
	__u64 last = self->base + VTDSIM_RMRR_SIZE - 8;

	EXPECT_EQ(TAG(1), through(&self->lab, self->base, TAG(1)));
	EXPECT_EQ(TAG(2), through(&self->lab, last, TAG(2)));
	EXPECT_EQ(self->base, output(&self->lab, self->base));
	EXPECT_EQ(last, output(&self->lab, last));
	EXPECT_EQ(DENIED, through(&self->lab, last + 8, TAG(3)));
	EXPECT_EQ(DENIED, through(&self->lab, self->base - 8, TAG(3)));
}

TEST_F(rmrr, another_device_does_not_reach_it)
{
	struct lab_dev other;

	ASSERT_EQ(0, switch_on(EP_1B));
	ASSERT_EQ(0, lab_dev_open_sysfs(&other, EP_1B));
	EXPECT_EQ(DENIED, through(&other, self->base, TAG(4)));
	lab_dev_close(&other);
}

TEST_F(rmrr, it_is_a_reserved_region_of_the_group)
{
	char want[64], regions[1024];

	snprintf(want, sizeof(want), "0x%016llx 0x%016llx direct\n", self->base,
		 self->base + VTDSIM_RMRR_SIZE - 1);
	ASSERT_LT(0, read_sys(variant->address, "iommu_group/reserved_regions",
			      regions, sizeof(regions)));
	EXPECT_NE(NULL, strstr(regions, want)) TH_LOG("%s", regions);
	ASSERT_LT(0, read_sys(EP_1B, "iommu_group/reserved_regions", regions,
			      sizeof(regions)));
	EXPECT_EQ(NULL, strstr(regions, " direct\n")) TH_LOG("%s", regions);
}

/* A user's domain would not have the region: upstream refuses the bind. */
TEST_F(rmrr, the_device_is_not_for_users)
{
	struct gvm_dev dev;
	struct gvm vm;

	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, gvm_dev_open(&dev, variant->address));
	EXPECT_EQ(-EINVAL, gvm_dev_bind(&dev, &vm));
	EXPECT_EQ(TAG(5), through(&self->lab, self->base, TAG(5)));
	gvm_dev_close(&dev);
	gvm_close(&vm);
}

TEST_HARNESS_MAIN
