// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpasid check: can this host do vSVA, and if not, why, and what helps?
 *
 * Every verdict is a reason and a mend; no reason means yes.  The first thing
 * that is missing is told, in the order in which a person would put it right.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/gpasid.h>

#include "check.h"
#include "host.h"
#include "out.h"

#define PCI		"/sys/bus/pci/devices/"
#define UNITS		"/sys/class/iommu"
#define IRQS		"/sys/kernel/irq"
#define FILES		"/dev/vfio/devices"

/* PCI extended capabilities */
#define CAP_ATS		0x0f
#define CAP_PRI		0x13
#define CAP_PASID	0x1b

/* VT-d "Extended Capability Register" */
#define ECAP_NEST	(1ULL << 26)
#define ECAP_PASID	(1ULL << 40)
#define ECAP_SMTS	(1ULL << 43)

#define CMDLINE		"add intel_iommu=on,sm_on to the kernel's command line"
#define HARDWARE	"take a machine whose VT-d has it (fourth generation Xeon or later)"

struct verdict {
	const char *reason;	/* NULL: it can */
	const char *mend;
};

static const struct verdict fine;

static struct verdict no(const char *reason, const char *mend)
{
	return (struct verdict){ .reason = reason, .mend = mend };
}

/* ---- the kernel ------------------------------------------------------------ */

/*
 * All units remap or none does, so that the chip of any interrupt tells: its name
 * begins with "IR-".  The legacy interrupts have one on every machine.
 */
static bool interrupts_are_remapped(void)
{
	DIR *dir = opendir(IRQS);
	struct dirent *entry;
	bool found = false;
	char path[512];

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), IRQS "/%s/chip_name", entry->d_name);
		found = host_begins(path, "IR-");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* iommufd binds no device whose interrupts a guest could forge. */
static struct verdict check_interrupts(void)
{
	if (interrupts_are_remapped() ||
	    host_begins("/sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y"))
		return fine;
	return no("interrupts are not remapped, so iommufd refuses devices",
		  "drop intremap=off, and switch VT-d on in the firmware; for guests that are trusted: iommufd.allow_unsafe_interrupts=1");
}

static struct verdict check_kernel(void)
{
	if (access("/sys/module/ioasid", F_OK))
		return no("the kernel's modules for guest PASIDs are not loaded",
			  "modprobe gpasid; if there is no such module, install a kernel made by 'make deb'");
	if (access("/sys/module/gpasid_core", F_OK))
		return no("gpasid-core is not loaded", "modprobe gpasid");
	if (access("/sys/module/intel_gpasid", F_OK))
		return no("intel-gpasid is not loaded", "modprobe intel-gpasid");
	if (access("/dev/iommu", F_OK))
		return no("there is no /dev/iommu", "modprobe iommufd");
	if (access("/sys/kernel/debug/gpasid/caps", R_OK))
		return no("/sys/kernel/debug/gpasid cannot be read",
			  "run as root, with debugfs mounted");
	return check_interrupts();
}

/* ---- units ------------------------------------------------------------------ */

static struct verdict check_unit(const char *unit)
{
	unsigned long long ecap;
	char path[256];

	snprintf(path, sizeof(path), UNITS "/%s/intel-iommu/ecap", unit);
	if (!host_hex(path, &ecap))
		return no("it is not a VT-d unit", "none: only Intel VT-d has guest PASIDs");
	if (!(ecap & ECAP_SMTS))
		return no("the unit has no scalable mode", HARDWARE);
	if (!(ecap & ECAP_PASID))
		return no("the unit has no PASIDs", HARDWARE);
	if (!(ecap & ECAP_NEST))
		return no("the unit has no nested translation", HARDWARE);
	return fine;
}

/* ---- devices ------------------------------------------------------------------ */

static const struct caps *find_caps(const struct caps *list, int nr,
				    const char *device)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(list[i].device, device))
			return &list[i];
	return NULL;
}

static void device_link(const char *device, const char *what, char *name,
			int size)
{
	char path[256];

	snprintf(path, sizeof(path), PCI "%s/%s", device, what);
	host_link(path, name, size);
}

static struct verdict check_hardware(const char *device)
{
	char path[256], unit[NAME_MAX_LEN];

	snprintf(path, sizeof(path), PCI "%s", device);
	if (access(path, F_OK))
		return no("there is no such PCI device",
			  "give its address as in ls /sys/bus/pci/devices");
	if (host_ext_cap(device, CAP_PASID) < 0)
		return no("its capabilities cannot be read", "run as root");
	if (!host_ext_cap(device, CAP_PASID))
		return no("the device has no PASIDs", "none: take another device");
	device_link(device, "iommu", unit, sizeof(unit));
	if (!unit[0])
		return no("no IOMMU translates the device",
			  "switch VT-d on in the firmware, and " CMDLINE);
	return check_unit(unit);
}

/* A VMM opens the device by a file of its own, not by that of its group. */
static struct verdict check_file(const char *device)
{
	char path[256], name[NAME_MAX_LEN];

	snprintf(path, sizeof(path), PCI "%s/vfio-dev", device);
	host_entry(path, name, sizeof(name));
	snprintf(path, sizeof(path), FILES "/%s", name);
	if (!name[0] || access(path, F_OK))
		return no("the device has no file in " FILES,
			  "take a kernel with CONFIG_VFIO_DEVICE_CDEV, and have udev make the file");
	return fine;
}

static struct verdict check_setup(const char *device, const struct caps *c)
{
	char path[256], driver[NAME_MAX_LEN];

	snprintf(path, sizeof(path), PCI "%s/iommu_group/devices", device);
	if (host_entries(path) > 1)
		return no("the device shares its IOMMU group with others",
			  "put it into a slot with ACS");
	device_link(device, "driver", driver, sizeof(driver));
	if (!driver[0])
		return no("the device has no driver", "bind it to vfio-pci");
	if (!c)
		return no("the kernel does not tell what the device can do",
			  "modprobe intel-gpasid");
	if (!c->pasid_bits)
		return no("scalable mode is off, or the device's PASIDs are",
			  CMDLINE);
	if (!(c->caps & GPASID_CAP_NEST))
		return no("nested translation does not work on this unit", HARDWARE);
	if (strcmp(driver, "vfio-pci"))
		return no("another driver has the device", "bind it to vfio-pci");
	return check_file(device);
}

static struct verdict check_device(const char *device, const struct caps *c)
{
	struct verdict v = check_hardware(device);

	return v.reason ? v : check_setup(device, c);
}

void check_words(const struct caps *c, char *text, int size)
{
	snprintf(text, size, "%u-bit PASIDs%s%s%s%s%s", c->pasid_bits,
		 c->addr_widths & 2 ? ", 5-level tables" : "",
		 c->caps & GPASID_CAP_ATS ? ", ATS" : "",
		 c->caps & GPASID_CAP_PRI ? ", page requests" : "",
		 c->caps & GPASID_CAP_DIRTY ? ", dirty tracking" : "",
		 c->errata & GPASID_ERRATA_772415 ?
		 ", no read-only mappings" : "");
}

/* ---- output ------------------------------------------------------------------- */

static void print_verdict(bool json, const char *what, const char *name,
			  struct verdict v, const char *words)
{
	if (json) {
		json_open(NULL, '{');
		json_string(what, name);
		json_bool("ok", !v.reason);
		json_string("reason", v.reason ?: "");
		json_string("mend", v.reason ? v.mend : "");
		json_string("can", words);
		json_close('}');
		return;
	}
	printf("%-8s %-14s %s%s%s\n", what, name, v.reason ? "no: " : "yes",
	       v.reason ?: (words[0] ? ": " : ""), v.reason ? "" : words);
	if (v.reason)
		printf("%-8s %-14s mend: %s\n", "", "", v.mend);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/* The names in a directory, sorted; their number. */
static int names(const char *path, char ***list)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char **new;
	int nr = 0;

	*list = NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		new = realloc(*list, (nr + 1) * sizeof(*new));
		if (!new)
			break;
		*list = new;
		(*list)[nr++] = strdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(*list, nr, sizeof(**list), by_name);
	return nr;
}

/* Returns how many units can nest. */
static int report_units(bool json)
{
	struct verdict v;
	char **units;
	int i, nr, good = 0;

	nr = names(UNITS, &units);
	for (i = 0; i < nr; i++) {
		v = check_unit(units[i]);
		print_verdict(json, "unit", units[i], v, "");
		good += !v.reason;
		free(units[i]);
	}
	free(units);
	if (!nr)
		print_verdict(json, "unit", "-",
			      no("no IOMMU is on",
				 "switch VT-d on in the firmware, and " CMDLINE),
			      "");
	return good;
}

static bool report_device(bool json, const char *device, const struct caps *list,
			  int nr)
{
	const struct caps *c = find_caps(list, nr, device);
	struct verdict v = check_device(device, c);
	char words[128] = "";

	if (c && !v.reason)
		check_words(c, words, sizeof(words));
	print_verdict(json, "device", device, v, words);
	return !v.reason;
}

/* Returns how many devices can. */
static int report_devices(bool json, int nr, char **devices)
{
	struct caps *list;
	int i, all, nr_caps, good = 0;
	char **found = NULL;

	nr_caps = host_caps(&list);
	for (i = 0; i < nr; i++)
		good += report_device(json, devices[i], list, nr_caps);
	all = nr ? 0 : names(PCI, &found);
	for (i = 0; i < all; i++) {
		if (host_ext_cap(found[i], CAP_PASID) > 0)
			good += report_device(json, found[i], list, nr_caps);
		free(found[i]);
	}
	free(found);
	free(list);

	return good;
}

int check_host(bool json, int nr, char **devices)
{
	struct verdict kernel = check_kernel();
	int units, good;
	bool ok;

	if (json) {
		json_open(NULL, '{');
		json_open("kernel", '[');
	}
	print_verdict(json, "kernel", "guest PASIDs", kernel, "");
	if (json) {
		json_close(']');
		json_open("units", '[');
	}
	units = report_units(json);
	if (json) {
		json_close(']');
		json_open("devices", '[');
	}
	good = report_devices(json, nr, devices);
	ok = !kernel.reason && units && good && good >= nr;
	if (json) {
		json_close(']');
		json_bool("ok", ok);
		json_close('}');
		json_end();
	} else {
		printf("\nThis host can%s do vSVA%s.\n", ok ? "" : "not",
		       nr ? " with these devices" : good ? "" : ": no device can");
	}
	return ok ? 0 : 1;
}
