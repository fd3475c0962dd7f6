// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator sees: tools/gpasid, on what this test binds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define TOOL		"/lab/gpasid"
#define HEAP_VA		(PROC_VA + GVM_SZ_1G)
#define PASID		0x101
#define OWN_PASID	7
#define WAIT_MS		8000
#define SLOW_MS		300
#define ECAP_NEST(ecap)		((ecap) >> 26 & 1)
#define ECAP_PASID(ecap)	((ecap) >> 40 & 1)

FIXTURE(admin)
{
	struct bench b;
	struct gvm_dev *dev;
	struct lab_dev *lab;
	struct process p;
	int fd;
	char out[65536];
};

FIXTURE_SETUP(admin)
{
	self->fd = -1;
	ASSERT_EQ(0, bench_open(&self->b, GVM_PASID));
	ASSERT_EQ(0, bench_add(&self->b, EP_1A));
	self->dev = &self->b.dev[0];
	self->lab = &self->b.lab[0];
	ASSERT_EQ(0, bench_process(&self->b, &self->p, 1));
}

FIXTURE_TEARDOWN(admin)
{
	EXPECT_EQ(0, bench_close(&self->b));
	if (self->fd >= 0)
		close(self->fd);
}

/* Run the tool; its exit status, its output in @out. */
static int tool(const char *arguments, char *out, size_t size)
{
	char command[256];
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), TOOL " %s 2>&1", arguments);
	f = popen(command, "r");
	if (!f)
		return -1;
	len = fread(out, 1, size - 1, f);
	out[len] = '\0';
	return WEXITSTATUS(pclose(f));
}

/* A HWPT of the process's table, for PASIDs. */
static int nested_hwpt(struct _test_data_admin *self, __u32 *hwpt)
{
	return gvm_hwpt_nested(self->dev, &self->p.pt, GVM_HWPT_PASID, hwpt);
}

#define TOOL_RUN(arguments)	tool(arguments, self->out, sizeof(self->out))

static int times(const char *text, const char *what)
{
	int nr = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		nr++;
	return nr;
}

/* How often a JSON text holds @what, in which ' stands for ". */
static int says(const char *text, const char *what)
{
	char quoted[256];
	size_t i;

	for (i = 0; what[i] && i < sizeof(quoted) - 1; i++)
		quoted[i] = what[i] == '\'' ? '"' : what[i];
	quoted[i] = '\0';
	return times(text, quoted);
}

/* The number after a name of the JSON text. */
static long number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static int start_read(struct lab_dev *lab, __u32 pasid)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_READ,
		.flags = VTDSIM_F_PASID | VTDSIM_F_ATS | VTDSIM_F_PRI,
		.pasid = pasid,
		.addr = HEAP_VA,
		.len = 8,
		.local = LAB_LOCAL(0),
	};

	return lab_submit(lab, 0, &d);
}

/* Wait until the tool tells that a page request waits. */
static bool waits(char *out, size_t size)
{
	int i;

	for (i = 0; i < WAIT_MS / 50; i++) {
		if (!tool("--json list", out, size) &&
		    strstr(out, "\"waiting\": 1"))
			return true;
		usleep(50000);
	}
	return false;
}

/* ---- list, show, watch ------------------------------------------------------ */

TEST_F(admin, list_names_devices_numbers_and_processes)
{
	char who[64];
	__u32 h, hwpt;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, PASID, &h));
	ASSERT_EQ(0, nested_hwpt(self, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OWN_PASID, hwpt));
	snprintf(who, sizeof(who), "\"processes\": \"%d (gpasid_admin)\"",
		 getpid());

	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_EQ(1, times(self->out, "\"device\": \"" EP_1A "\""));
	EXPECT_EQ(2, number(self->out, "\"pasids\": "));
	EXPECT_EQ(0, number(self->out, "\"waiting\": "));
	EXPECT_EQ(1, times(self->out, who));

	ASSERT_EQ(0, gvm_unbind(self->dev, h));
	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_EQ(1, number(self->out, "\"pasids\": "));
	ASSERT_EQ(0, gvm_pasid_detach(self->dev, OWN_PASID));
	ASSERT_EQ(0, TOOL_RUN("list"));
	EXPECT_EQ(0, times(self->out, EP_1A));
}

TEST_F(admin, show_tells_host_wide_numbers_from_those_of_the_device)
{
	__u32 h, hwpt;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, PASID, &h));
	ASSERT_EQ(0, nested_hwpt(self, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OWN_PASID, hwpt));
	ASSERT_EQ(0, TOOL_RUN("--json show " EP_1A));
	EXPECT_EQ(1, says(self->out,
			  "'pasid': 257, 'guest_pasid': 257, 'kind': 'host', 'state': 'bound'"));
	EXPECT_EQ(1, says(self->out,
			  "'pasid': 7, 'guest_pasid': 7, 'kind': 'device', 'state': 'bound'"));
	EXPECT_EQ(1, says(self->out, "'requests': []"));
}

/* Enough of them for several reads of the file. */
TEST_F_TIMEOUT(admin, show_tells_each_of_many_once, 120)
{
	const int nr = 700;
	__u32 hwpt;
	int i;

	ASSERT_EQ(0, nested_hwpt(self, &hwpt));
	for (i = 1; i <= nr; i++)
		ASSERT_EQ(0, gvm_pasid_attach(self->dev, i * 3, hwpt));
	ASSERT_EQ(0, TOOL_RUN("show " EP_1A));
	EXPECT_EQ(nr, times(self->out, "(gpasid_admin)"));
	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_EQ(nr, number(self->out, "\"pasids\": "));
}

TEST_F(admin, show_of_a_device_without_guest_pasids_fails_in_words)
{
	EXPECT_EQ(1, TOOL_RUN("show 0000:00:00.0"));
	EXPECT_EQ(1, times(self->out, "gpasid: no device 0000:00:00.0"));
}

TEST_F(admin, watch_lists_again_and_again)
{
	__u32 h;

	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, PASID, &h));
	ASSERT_EQ(0, TOOL_RUN("-n 0.1 -c 3 watch"));
	EXPECT_EQ(3, times(self->out, EP_1A));
}

TEST_F(admin, wrong_arguments_are_refused)
{
	EXPECT_EQ(2, TOOL_RUN(""));
	EXPECT_EQ(2, TOOL_RUN("list " EP_1A));
	EXPECT_EQ(2, TOOL_RUN("show"));
	EXPECT_EQ(2, TOOL_RUN("-n 0 watch"));
	EXPECT_EQ(2, TOOL_RUN("frobnicate"));
}

/* ---- what waits -------------------------------------------------------------- */

static void expect_waiting(struct __test_metadata *_metadata,
			   struct _test_data_admin *self, int pasid)
{
	ASSERT_EQ(true, waits(self->out, sizeof(self->out)));
	usleep(SLOW_MS * 1000);
	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_GE(number(self->out, "\"oldest_ms\": "), SLOW_MS - 10);
	ASSERT_EQ(0, TOOL_RUN("--json show " EP_1A));
	EXPECT_EQ(pasid, number(strstr(self->out, "\"requests\"") ?: "",
				"\"pasid\": "));
	EXPECT_EQ((long)HEAP_VA, number(self->out, "\"address\": "));
	EXPECT_GE(number(self->out, "\"age_ms\": "), SLOW_MS - 10);
}

TEST_F_TIMEOUT(admin, a_request_in_the_queue_of_a_vm_has_an_age, 120)
{
	struct iommu_gpasid_fault f;
	__u32 h;

	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	ASSERT_EQ(0, gvm_faults_open(&self->b.vm, 0, 0, &self->fd));
	ASSERT_EQ(0, gvm_bind(self->dev, &self->p.pt, PASID, &h));
	ASSERT_EQ(0, start_read(self->lab, h));
	expect_waiting(_metadata, self, h);
	ASSERT_EQ(1, gvm_faults_read(self->fd, &f, 1, WAIT_MS));
	ASSERT_EQ(0, gvm_faults_answer(self->fd, f.cookie,
				       IOMMU_GPASID_FAULT_INVALID));
	ASSERT_EQ(0, lab_wait(self->lab, 0, WAIT_MS));
	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_EQ(0, number(self->out, "\"waiting\": "));
}

TEST_F_TIMEOUT(admin, a_request_in_the_queue_of_a_hwpt_has_an_age, 120)
{
	struct iommu_hwpt_page_response r = { .code = IOMMUFD_PAGE_RESP_INVALID };
	struct iommu_hwpt_pgfault f;
	__u32 id, hwpt;

	if (!(self->b.info[0].out_caps & GPASID_CAP_PRI))
		SKIP(return, "no page requests");
	ASSERT_EQ(0, gvm_fault_queue(&self->b.vm, &id, &self->fd));
	ASSERT_EQ(0, gvm_hwpt_nested_fault(self->dev, &self->p.pt, id, &hwpt));
	ASSERT_EQ(0, gvm_pasid_attach(self->dev, OWN_PASID, hwpt));
	ASSERT_EQ(0, start_read(self->lab, OWN_PASID));
	expect_waiting(_metadata, self, OWN_PASID);
	ASSERT_EQ((ssize_t)sizeof(f), read(self->fd, &f, sizeof(f)));
	r.cookie = f.cookie;
	ASSERT_EQ((ssize_t)sizeof(r), write(self->fd, &r, sizeof(r)));
	ASSERT_EQ(0, lab_wait(self->lab, 0, WAIT_MS));
	ASSERT_EQ(0, TOOL_RUN("--json list"));
	EXPECT_EQ(0, number(self->out, "\"waiting\": "));
}

/* ---- check: on whatever hardware this boot has --------------------------------- */

FIXTURE(check)
{
	struct gvm vm;
	struct gvm_dev dev;
	__u64 cap, ecap;
	char out[65536];
};

FIXTURE_SETUP(check)
{
	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, gvm_dev_open(&self->dev, EP_1A));
	ASSERT_EQ(0, gvm_dev_bind(&self->dev, &self->vm));
	ASSERT_EQ(0, gvm_dev_vtd_caps(&self->dev, &self->cap, &self->ecap));
}

FIXTURE_TEARDOWN(check)
{
	gvm_dev_close(&self->dev);
	gvm_close(&self->vm);
}

TEST_F(check, the_verdict_is_that_of_the_hardware)
{
	bool able = ECAP_NEST(self->ecap) && ECAP_PASID(self->ecap);
	const char *want = "yes: 20-bit PASIDs";
	int status = TOOL_RUN("check " EP_1A);
	char line[128];

	if (!ECAP_PASID(self->ecap))
		want = "no: the unit has no PASIDs";
	else if (!ECAP_NEST(self->ecap))
		want = "no: the unit has no nested translation";
	snprintf(line, sizeof(line), "device   " EP_1A "   %s", want);

	EXPECT_EQ(able ? 0 : 1, status);
	EXPECT_EQ(1, times(self->out, line));
	EXPECT_EQ(able ? 1 : 0, times(self->out, "This host can do vSVA"));
	EXPECT_EQ(able ? 0 : 1, times(strstr(self->out, "device ") ?: "", "mend: "));
}

TEST_F(check, each_device_that_cannot_has_a_reason_and_a_mend)
{
	EXPECT_EQ(1, TOOL_RUN("--json check 0000:00:00.0 0009:00:00.0"));
	EXPECT_EQ(1, says(self->out,
			  "'0000:00:00.0', 'ok': false, 'reason': 'the device has no PASIDs'"));
	EXPECT_EQ(1, says(self->out,
			  "'0009:00:00.0', 'ok': false, 'reason': 'there is no such PCI device'"));
	EXPECT_EQ(0, says(strstr(self->out, "\"devices\"") ?: "",
			  "'mend': ''"));
	EXPECT_EQ(1, says(self->out, "], 'ok': false}\n"));
}

/* For this test alone, a directory is empty. */
static int hide(const char *path)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("none", path, "ramfs", 0, NULL) ? -errno : 0;
}

TEST_F(check, a_host_without_an_iommu_has_a_reason_and_a_mend)
{
	ASSERT_EQ(0, hide("/sys/class/iommu"));
	EXPECT_EQ(1, TOOL_RUN("--json check"));
	EXPECT_EQ(1, says(self->out,
			  "'unit': '-', 'ok': false, 'reason': 'no IOMMU is on'"));
	EXPECT_EQ(1, TOOL_RUN("check"));
	EXPECT_EQ(1, times(self->out, "no: no IOMMU is on"));
}

TEST_F(check, a_device_without_its_file_is_told)
{
	if (!ECAP_NEST(self->ecap) || !ECAP_PASID(self->ecap))
		SKIP(return, "the unit is told of first");
	ASSERT_EQ(0, hide("/dev/vfio/devices"));
	EXPECT_EQ(1, TOOL_RUN("check " EP_1A));
	EXPECT_EQ(1, times(self->out,
			   "no: the device has no file in /dev/vfio/devices"));
}

/* The lab's machine does not remap interrupts. */
TEST_F(check, interrupts_that_are_not_remapped_are_told)
{
	const char *unsafe = "/sys/module/iommufd/parameters/allow_unsafe_interrupts";

	TOOL_RUN("check " EP_1A);
	EXPECT_EQ(0, times(self->out, "not remapped"));
	ASSERT_EQ(0, sysfs_write(unsafe, "N"));
	EXPECT_EQ(1, TOOL_RUN("check " EP_1A));
	ASSERT_EQ(0, sysfs_write(unsafe, "Y"));
	EXPECT_EQ(1, times(self->out, "no: interrupts are not remapped"));
}

TEST_F(check, a_device_without_a_driver_is_told)
{
	const char *path = "/sys/bus/pci/drivers/vfio-pci/";
	char file[128];

	snprintf(file, sizeof(file), "%sunbind", path);
	ASSERT_EQ(0, sysfs_write(file, EP_2B));
	EXPECT_EQ(1, TOOL_RUN("check " EP_2B));
	snprintf(file, sizeof(file), "%sbind", path);
	ASSERT_EQ(0, sysfs_write(file, EP_2B));
	EXPECT_EQ(1, times(self->out, "no: the device has no driver"));
	EXPECT_EQ(1, times(self->out, "mend: bind it to vfio-pci"));
}

TEST_HARNESS_MAIN
