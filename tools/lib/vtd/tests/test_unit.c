// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Registers, virtual commands, configurations, and what host units must have.
 */
#include <errno.h>
#include <string.h>
#include "world.h"

TEST(caps, "the capability registers show the configuration")
{
	w->cfg.page_requests = true;
	w->cfg.page_drain = true;
	w->cfg.supervisor = true;
	w->cfg.pasid_bits = 16;
	world_start(w);
	EXPECT_EQ(reg32(w, REG_VER), 0x60);
	EXPECT(reg64(w, REG_CAP) & CAP_CM);
	EXPECT(reg64(w, REG_CAP) & CAP_FS1GP);
	EXPECT(!(reg64(w, REG_CAP) & CAP_FS5LP));
	EXPECT_EQ(bits(reg64(w, REG_CAP), 47, 40), 7);
	EXPECT_EQ(bits(reg64(w, REG_CAP), 33, 24) * 16, REG_FRCD);
	EXPECT_EQ(bits(reg64(w, REG_ECAP), 17, 8) * 16, REG_IVA);
	EXPECT_EQ(bits(reg64(w, REG_ECAP), 39, 35), 15);
	EXPECT(reg64(w, REG_ECAP) & ECAP_SMTS);
	EXPECT(reg64(w, REG_ECAP) & ECAP_SMPWCS);
	EXPECT(reg64(w, REG_ECAP) & ECAP_PRS);
	EXPECT(reg64(w, REG_ECAP) & ECAP_PDS);
	EXPECT(reg64(w, REG_ECAP) & ECAP_SRS);
	EXPECT(!(reg64(w, REG_ECAP) & (ECAP_NEST | ECAP_SSTS | ECAP_VCS)));
}

TEST(read_only, "read-only registers stay as they are")
{
	u64 cap, ecap;

	world_start(w);
	cap = reg64(w, REG_CAP);
	ecap = reg64(w, REG_ECAP);
	set64(w, REG_VER, ~0ULL);
	set64(w, REG_CAP, ~0ULL);
	set64(w, REG_ECAP, 0);
	set64(w, REG_IQH, 0x40);
	set64(w, REG_IQERCD, ~0ULL);
	set32(w, REG_GSTS, ~0u);
	run(w);
	EXPECT_EQ(reg64(w, REG_CAP), cap);
	EXPECT_EQ(reg64(w, REG_ECAP), ecap);
	EXPECT_EQ(reg64(w, REG_IQH), 0);
	EXPECT_EQ(reg64(w, REG_IQERCD), 0);
	EXPECT_EQ(reg32(w, REG_GSTS), 0);
	EXPECT_EQ(reg32(w, REG_GCMD), 0);
}

TEST(access, "accesses that no register has are nothing")
{
	world_start(w);
	EXPECT_EQ(vvtd_read(w->v, REG_CAP, 2), 0);
	EXPECT_EQ(vvtd_read(w->v, REG_CAP + 4, 8), 0);
	EXPECT_EQ(vvtd_read(w->v, VVTD_REGISTERS, 4), 0);
	EXPECT_EQ(vvtd_read(w->v, ~7ULL, 8), 0);
	vvtd_write(w->v, REG_FEADDR, 1, 0xff);
	vvtd_write(w->v, REG_FEADDR + 2, 4, ~0u);
	vvtd_write(w->v, VVTD_REGISTERS - 4, 8, ~0u);
	vvtd_write(w->v, ~7ULL, 8, ~0u);
	EXPECT_EQ(reg32(w, REG_FEADDR), 0);
	EXPECT_EQ(reg32(w, VVTD_REGISTERS - 4), 0);
}

TEST(halves, "a register of 64 bits can be written in halves")
{
	world_start(w);
	set32(w, REG_RTADDR, 0x1234567);
	set32(w, REG_RTADDR + 4, 9);
	EXPECT_EQ(reg64(w, REG_RTADDR), 0x901234400);
}

TEST(vcmd, "virtual commands allocate and free host-wide PASIDs")
{
	w->cfg.virtual_commands = true;
	world_start(w);
	CALLS(w, "bind a 0 pass\n");
	EXPECT_EQ(reg64(w, REG_VCCAP), VCCAP_PAS);
	EXPECT(reg64(w, REG_ECAP) & ECAP_VCS);
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), 100 << 16);
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), 101 << 16);
	set64(w, REG_VCMD, VCMD_FREE | 100 << 16);
	EXPECT_EQ(reg64(w, REG_VCRSP), 0);
	CALLS(w, "free 100\n");
	set64(w, REG_VCMD, VCMD_FREE | 100 << 16);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_BAD_PASID << 1);
	set64(w, REG_VCMD, 3);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_UNKNOWN << 1);
	CALLS(w, "");
	w->host.fail_after = 1;
	w->host.fail_with = -ENOSPC;
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_NO_PASID << 1);
	w->host.fail_after = 1;
	set64(w, REG_VCMD, VCMD_FREE | 101 << 16);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_BAD_PASID << 1);
	CALLS(w, "free 101\n");
}

TEST(vcmd_wide, "a number that the guest cannot use is given back")
{
	w->cfg.virtual_commands = true;
	w->cfg.pasid_bits = 6;
	world_start(w);
	CALLS(w, "bind a 0 pass\n");
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_NO_PASID << 1);
	CALLS(w, "free 100\n");
}

TEST(vcmd_reset, "a reset unbinds first, then gives numbers back")
{
	w->cfg.virtual_commands = true;
	world_start(w);
	guest_boot(w);
	set64(w, REG_VCMD, VCMD_ALLOC);
	set64(w, REG_VCMD, VCMD_ALLOC);
	set_pasid(w, 0, 100, pe_first(2, 0x5000));
	all_changed(w);
	vvtd_reset(w->v);
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), VCSC_NO_PASID << 1);
	run(w);
	CALLS(w, "bind a 64 first 5000\nbind a 0 pass\nunbind a 64\n"
	      "free 100\nfree 101\n");
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), 102 << 16);
}

TEST(vcmd_none, "without the capability the registers are not there")
{
	world_start(w);
	set64(w, REG_VCMD, VCMD_ALLOC);
	EXPECT_EQ(reg64(w, REG_VCRSP), 0);
	EXPECT_EQ(reg64(w, REG_VCCAP), 0);
}

static bool makes_sense(struct world *w)
{
	struct vvtd *v = vvtd_create(&w->cfg, &w->ops, &w->host);

	if (v)
		vvtd_destroy(v);
	return v;
}

TEST(config, "a configuration that contradicts itself is refused")
{
	const struct vvtd_config good = w->cfg;

	EXPECT(makes_sense(w));
	w->cfg.address_bits = 53;
	EXPECT(!makes_sense(w));
	w->cfg.address_bits = 31;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->cfg.pasid_bits = 5;
	EXPECT(!makes_sense(w));
	w->cfg.pasid_bits = 21;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->cfg.fault_records = 0;
	EXPECT(!makes_sense(w));
	w->cfg.fault_records = 33;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->cfg.page_requests = true;
	w->cfg.device_tlb = false;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->cfg.page_drain = true;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->cfg.virtual_commands = true;
	w->ops.pasid_alloc = NULL;
	EXPECT(!makes_sense(w));
	w->cfg = good;
	w->ops.replace = NULL;
	EXPECT(!makes_sense(w));
}

TEST(devices, "a source-id is given once, and there is a last slot")
{
	struct vvtd_dev *dev;
	u32 i;

	world_start(w);
	EXPECT_EQ(vvtd_dev_add(w->v, w->d[0].sid, &w->caps, NULL, &dev), -EBUSY);
	w->host.quiet = true;
	for (i = 1; i < VVTD_MAX_DEVS; i++)
		EXPECT_EQ(vvtd_dev_add(w->v, 0x4000 + i, &w->caps,
				       &w->d[1].host, &dev), 0);
	EXPECT_EQ(vvtd_dev_add(w->v, 0x5000, &w->caps, NULL, &dev), -ENOSPC);
	vvtd_dev_remove(dev);
	EXPECT_EQ(vvtd_dev_add(w->v, 0x5000, &w->caps, NULL, &dev), 0);
}

/* @ecap, @cap: what the host lacks. */
static void lacks(struct world *w, u64 cap, u64 ecap, const char *word)
{
	struct vvtd_host_caps host = w->caps;
	char why[128] = "";

	host.cap &= ~cap;
	host.ecap &= ~ecap;
	EXPECT_EQ(vvtd_check_host(&w->cfg, &host, why, sizeof(why)),
		  -EOPNOTSUPP);
	if (!strstr(why, word))
		test_fail(word, 0, why);
}

TEST(host, "a host unit that lacks something is refused, and the reason named")
{
	char why[128];

	w->cfg.five_level = true;
	w->cfg.supervisor = true;
	w->cfg.extended_access = true;
	w->cfg.snoop_control = true;
	EXPECT_EQ(vvtd_check_host(&w->cfg, &w->caps, why, sizeof(why)), 0);
	lacks(w, 0, ECAP_SMTS, "scalable");
	lacks(w, 0, ECAP_FSTS, "first-stage");
	lacks(w, 0, ECAP_NEST, "nested");
	lacks(w, CAP_FS5LP, 0, "five-level");
	lacks(w, CAP_FS1GP, 0, "1 GiB");
	lacks(w, 0, ECAP_SRS, "privileged");
	lacks(w, 0, ECAP_EAFS, "extended");
	lacks(w, 0, ECAP_SMPWCS, "snoop");
	lacks(w, 0, ECAP_SC, "snoop control");
	lacks(w, 0, ECAP_PSS(16), "wider PASIDs");
}

TEST(host_add, "a device below such a unit is not taken")
{
	struct vvtd_dev *dev;

	world_start(w);
	w->caps.ecap &= ~ECAP_NEST;
	EXPECT_EQ(vvtd_dev_add(w->v, 0x99, &w->caps, NULL, &dev), -EOPNOTSUPP);
}

static void differs(struct world *w, u64 cap, u64 ecap, const char *word)
{
	struct vvtd_host_caps other = w->caps;
	char why[128] = "";

	other.cap ^= cap;
	other.ecap ^= ecap;
	EXPECT(!vvtd_same_second_stage(&w->caps, &other, why, sizeof(why)));
	if (!strstr(why, word))
		test_fail(word, 0, why);
}

TEST(agree, "what keeps devices from sharing a second stage is named")
{
	struct vvtd_host_caps other = w->caps;
	char why[128];

	EXPECT(vvtd_same_second_stage(&w->caps, &w->caps, why, sizeof(why)));
	differs(w, CAP_SAGAW(8), 0, "width");
	differs(w, CAP_SSLPS(1), 0, "page sizes");
	differs(w, 0, ECAP_C, "walks");
	differs(w, 0, ECAP_SC, "snoop control");
	differs(w, 0, ECAP_SSADS, "dirty");
	other.no_read_only = true;
	EXPECT(!vvtd_same_second_stage(&w->caps, &other, why, sizeof(why)));
	EXPECT(strstr(why, "read-only"));
}

TEST(second_stages, "devices that agree share a second stage, others have their own")
{
	struct vvtd_dev *b, *c, *d;

	world_start(w);
	w->host.quiet = true;
	EXPECT_EQ(vvtd_dev_add(w->v, 0x101, &w->caps, NULL, &b), 0);
	w->caps.no_read_only = true;
	EXPECT_EQ(vvtd_dev_add(w->v, 0x102, &w->caps, NULL, &c), 0);
	EXPECT_EQ(vvtd_dev_add(w->v, 0x103, &w->caps, NULL, &d), 0);
	EXPECT_EQ(vvtd_dev_second_stage(w->d[0].dev), 0);
	EXPECT_EQ(vvtd_dev_second_stage(b), 0);
	EXPECT_EQ(vvtd_dev_second_stage(c), 1);
	EXPECT_EQ(vvtd_dev_second_stage(d), 1);
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv);
}
