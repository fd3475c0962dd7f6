// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs in a guest have in common.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "../../vtdsim/vtdsim_abi.h"
#include "vm_agent.h"

#define DEVICES		"/sys/bus/pci/devices"
#define STRUCTURES	"/sys/kernel/debug/iommu/intel/dmar_translation_struct"
#define MAX_ENDPOINTS	4

void answer(const char *fmt, ...)
{
	va_list ap;

	printf("= ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

char *file_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");

	if (!f || !fgets(buf, size, f))
		*buf = 0;
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = 0;
	return buf;
}

int file_write(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, word, strlen(word)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static unsigned int id_of(const char *name, const char *which)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DEVICES "/%.16s/%s", name, which);
	return strtoul(file_line(path, text, sizeof(text)), NULL, 16);
}

static int is_endpoint(const struct dirent *d)
{
	return id_of(d->d_name, "vendor") == VTDSIM_PCI_VENDOR &&
	       id_of(d->d_name, "device") == VTDSIM_PCI_DEVICE;
}

static char endpoints[MAX_ENDPOINTS][32];

static void find_endpoints(void)
{
	struct dirent **list;
	int i, count = scandir(DEVICES, &list, is_endpoint, alphasort);

	memset(endpoints, 0, sizeof(endpoints));
	for (i = 0; i < count; i++) {
		if (i < MAX_ENDPOINTS)
			snprintf(endpoints[i], sizeof(endpoints[i]), "%.31s",
				 list[i]->d_name);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}

const char *endpoint(unsigned int n)
{
	if (!*endpoints[0])
		find_endpoints();
	return n < MAX_ENDPOINTS ? endpoints[n] : "";
}

unsigned long long table_of(unsigned int n, unsigned int pasid)
{
	unsigned long long third, root = 0;
	char line[256], bdf[16];
	unsigned int found;
	FILE *f = fopen(STRUCTURES, "r");

	/* An entry's third quadword is printed first. */
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15s %*s %*s %u %llx:", bdf, &found,
			   &third) == 3 && found == pasid &&
		    strstr(endpoint(n), bdf))
			root = third & ~0xfffULL;
	}
	if (f)
		fclose(f);
	return root;
}

static void agent_hello(unsigned long long a, unsigned long long b)
{
	char cap[32], ecap[32];
	struct utsname u;

	(void)a;
	(void)b;
	uname(&u);
	file_line("/sys/class/iommu/dmar0/intel-iommu/cap", cap, sizeof(cap));
	file_line("/sys/class/iommu/dmar0/intel-iommu/ecap", ecap,
		  sizeof(ecap));
	answer("rc=0 release=%s cap=%s ecap=%s table=%llx device=%s", u.release,
	       cap, ecap, table_of(0, 0), endpoint(0));
}

static void agent_reset(unsigned long long a, unsigned long long b)
{
	char path[96];

	(void)a;
	(void)b;
	snprintf(path, sizeof(path), "%s/%s/%s", DEVICES, endpoint(0), "reset");
	answer("rc=%d", file_write(path, "1"));
}

static void agent_reboot(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	reboot(RB_AUTOBOOT);
}

static void agent_bye(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	exit(0);
}

/*
 * Cut the power of the slot that the endpoint is in: the slot's control register
 * of the root port above, found in the list of its capabilities.
 */
static int cut_power(int config)
{
	__u8 where = 0, id = 0, next;
	__u16 control;

	if (pread(config, &next, 1, PCI_CAPABILITY_LIST) != 1)
		return -EIO;
	while (next && id != PCI_CAP_ID_EXP) {
		where = next;
		if (pread(config, &id, 1, where) != 1 ||
		    pread(config, &next, 1, where + PCI_CAP_LIST_NEXT) != 1)
			return -EIO;
	}
	if (id != PCI_CAP_ID_EXP ||
	    pread(config, &control, 2, where + PCI_EXP_SLTCTL) != 2)
		return -ENODEV;
	control &= ~PCI_EXP_SLTCTL_PIC;
	control |= PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF;
	return pwrite(config, &control, 2, where + PCI_EXP_SLTCTL) == 2 ? 0 : -EIO;
}

static void agent_unplug(unsigned long long a, unsigned long long b)
{
	char path[128];
	int fd, rc;

	(void)a;
	(void)b;
	snprintf(path, sizeof(path), DEVICES "/%s/../config", endpoint(0));
	fd = open(path, O_RDWR | O_CLOEXEC);
	rc = fd < 0 ? -errno : cut_power(fd);
	if (fd >= 0)
		close(fd);
	answer("rc=%d", rc);
}

/* Wait until there is an endpoint, or none: -ETIMEDOUT. */
static int wait_for_endpoint(bool there)
{
	int tries;

	for (tries = 0; tries < 600; tries++) {
		find_endpoints();
		if (!*endpoints[0] == !there)
			return 0;
		usleep(50000);
	}
	return -ETIMEDOUT;
}

/* A new endpoint has no driver: the lab's take none that does not name them. */
static int give_to_driver(const char *name, const char *driver)
{
	char path[128], bound[128];
	int rc;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", name);
	rc = file_write(path, driver);
	if (!rc)
		rc = file_write("/sys/bus/pci/drivers_probe", name);
	snprintf(bound, sizeof(bound), "/sys/bus/pci/drivers/%s/%s", driver,
		 name);
	return rc || !access(bound, F_OK) ? rc : -ENODEV;
}

static void agent_plugged(unsigned long long a, unsigned long long b)
{
	const char *driver = getenv("DRIVER");
	int rc = driver ? wait_for_endpoint(true) : -EINVAL;

	(void)a;
	(void)b;
	if (!rc)
		rc = give_to_driver(endpoint(0), driver);
	answer("rc=%d device=%s", rc, endpoint(0));
}

static void agent_unplugged(unsigned long long a, unsigned long long b)
{
	(void)a;
	(void)b;
	answer("rc=%d", wait_for_endpoint(false));
}

static const struct agent_command common[] = {
	{ "plugged", agent_plugged }, { "unplugged", agent_unplugged },
	{ "unplug", agent_unplug },
	{ "hello", agent_hello }, { "reset", agent_reset },
	{ "reboot", agent_reboot }, { "bye", agent_bye }, { }
};

static const struct agent_command *find(const struct agent_command *c,
					const char *word)
{
	while (c->word && strcmp(c->word, word))
		c++;
	return c->word ? c : NULL;
}

void agent_run(const struct agent_command *commands, const char *line)
{
	const struct agent_command *c = NULL;
	unsigned long long a = 0, b = 0;
	char word[16];

	if (sscanf(line, "%15s %llx %llx", word, &a, &b) >= 1)
		c = find(commands, word) ?: find(common, word);
	if (c)
		c->run(a, b);
	else
		answer("rc=%d", -EINVAL);
}
