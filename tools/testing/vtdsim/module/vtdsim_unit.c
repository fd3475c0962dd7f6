// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VT-d unit's registers, queue and tables, in the hands of a test.
 *
 * In a guest, the unit is QEMU's, and what the kernel's driver does with it is
 * little: it never switches translation off, sets the root pointer once, and
 * invalidates PASIDs one by one.  A test that wants the rest of what the
 * architecture allows does it here, behind the driver's back, and puts it back.
 * The kernel is any that has the machine's first unit in scalable mode;
 * vtdsim_unit.h says what there is.
 *
 * The driver's invalidation queue is shared with it: a descriptor is queued while
 * all processors stand still and the queue is empty.  The driver remembers which
 * slot is the next, so the tail is brought around the ring, over wait
 * descriptors, to where it was.
 *
 * Locks: vtdsim_unit::lock, from open() to release() by one user at a time.
 */

#include <linux/acpi.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/uaccess.h>

#include "vtdsim_unit.h"

#define DRIVER_NAME	"vtdsim_unit"

/* Registers, VT-d "Register Descriptions". */
#define REG_GCMD	0x18
#define REG_GSTS	0x1c
#define REG_RTADDR	0x20
#define REG_FSTS	0x34
#define REG_IQH		0x80
#define REG_IQT		0x88
#define REG_IQA		0x90
#define REGS_SIZE	0x1000

#define GCMD_TE		BIT(31)
#define GCMD_SRTP	BIT(30)
/* Bits of the status that stay when they are written as a command. */
#define GSTS_LASTING	0x96ffffffU
#define FSTS_QUEUE	GENMASK(6, 4)
#define IQA_SIZE	GENMASK_ULL(2, 0)
#define IQA_WIDE	BIT_ULL(11)
#define ADDRESS		GENMASK_ULL(63, 12)

#define PRESENT		BIT_ULL(0)
#define DESC_WAIT	5ULL
#define DESC_WAIT_WRITE	BIT_ULL(5)
#define WAIT_DONE	1U

/**
 * struct vtdsim_unit - The unit
 * @lock: one command at a time
 * @regs: its registers
 * @root: the driver's root table, as the register has it
 * @copy: a page for another root table
 * @status: where wait descriptors write
 * @open: one user at a time
 */
static struct vtdsim_unit {
	struct mutex lock;		/* all below */
	void __iomem *regs;
	u64 root;
	void *copy;
	u32 *status;
	bool open;
} unit = {
	.lock = __MUTEX_INITIALIZER(unit.lock),
};

/* ---- the tables ---------------------------------------------------------- */

static int unit_read(u64 addr, void *buf, size_t size)
{
	void *p = memremap(addr, size, MEMREMAP_WB);

	if (!p)
		return -ENXIO;
	memcpy(buf, p, size);
	memunmap(p);
	return 0;
}

static u64 unit_qword(u64 addr)
{
	u64 val;

	return unit_read(addr, &val, sizeof(val)) ? 0 : val;
}

/* Root entries have a half for each 128 functions, contexts are 32 bytes. */
static u64 unit_context(u64 root, u32 sid)
{
	u8 bus = sid >> 8, devfn = sid;
	u64 half = unit_qword((root & ADDRESS) + bus * 16 + (devfn >> 7) * 8);

	return half & PRESENT ? (half & ADDRESS) + (devfn & 0x7f) * 32 : 0;
}

/* Address of a PASID's entry below a context entry, or 0. */
static u64 unit_entry(u64 context, u32 pasid)
{
	u64 dir = unit_qword(context), table;

	if (pasid >> 6 >= 1ULL << (((dir >> 9) & 7) + 7))
		return 0;
	table = unit_qword((dir & ADDRESS) + (pasid >> 6) * 8);
	return table & PRESENT ? (table & ADDRESS) + (pasid & 0x3f) * 64 : 0;
}

static int unit_see(struct vtdsim_unit_entry *e)
{
	u64 context, entry;

	memset(e->qw, 0, sizeof(e->qw));
	if (!(readl(unit.regs + REG_GSTS) & GCMD_TE))
		return 0;
	context = unit_context(readq(unit.regs + REG_RTADDR), e->sid);
	if (!context || !(unit_qword(context) & PRESENT))
		return 0;
	entry = unit_entry(context, e->pasid);
	return entry ? unit_read(entry, e->qw, sizeof(e->qw)) : 0;
}

static u64 unit_driver_entry(const struct vtdsim_unit_entry *e)
{
	u64 context = unit_context(unit.root, e->sid);

	return context ? unit_entry(context, e->pasid) : 0;
}

static int unit_get(struct vtdsim_unit_entry *e)
{
	u64 entry = unit_driver_entry(e);

	return entry ? unit_read(entry, e->qw, sizeof(e->qw)) : -ENOENT;
}

/* Present last: the unit may look at any time. */
static int unit_set(const struct vtdsim_unit_entry *e)
{
	u64 entry = unit_driver_entry(e);
	u64 *qw;
	int i;

	if (!entry)
		return -ENOENT;
	qw = memremap(entry, sizeof(e->qw), MEMREMAP_WB);
	if (!qw)
		return -ENXIO;
	WRITE_ONCE(qw[0], 0);
	for (i = 1; i < 8; i++)
		WRITE_ONCE(qw[i], e->qw[i]);
	smp_wmb(); /* the entry is whole before it is present */
	WRITE_ONCE(qw[0], e->qw[0]);
	memunmap(qw);
	return 0;
}

static int unit_set_context(const struct vtdsim_unit_context *c)
{
	u64 context = unit_context(unit.root, c->sid);
	u64 *qw = context ? memremap(context, 32, MEMREMAP_WB) : NULL;

	if (!qw)
		return -ENOENT;
	WRITE_ONCE(qw[0], (qw[0] & ~PRESENT) | (c->present ? PRESENT : 0));
	memunmap(qw);
	return 0;
}

/* ---- the registers ------------------------------------------------------- */

static int unit_command(u32 set, u32 clear, u32 done)
{
	u32 sts = readl(unit.regs + REG_GSTS) & GSTS_LASTING;

	writel((sts & ~clear) | set, unit.regs + REG_GCMD);
	return readl_poll_timeout(unit.regs + REG_GSTS, sts,
				  (sts & (set | clear)) == done, 10, USEC_PER_SEC);
}

static int unit_translation(u32 on)
{
	return on ? unit_command(GCMD_TE, 0, GCMD_TE) :
		    unit_command(0, GCMD_TE, 0);
}

/* The mode, in the register's low bits, stays the driver's. */
static int unit_root(u32 which)
{
	u64 root = unit.root;

	switch (which) {
	case VTDSIM_UNIT_ROOT_DRIVER:
		break;
	case VTDSIM_UNIT_ROOT_COPY:
		if (unit_read(unit.root & ADDRESS, unit.copy, PAGE_SIZE))
			return -ENXIO;
		root = virt_to_phys(unit.copy) | (unit.root & ~ADDRESS);
		break;
	case VTDSIM_UNIT_ROOT_EMPTY:
		memset(unit.copy, 0, PAGE_SIZE);
		root = virt_to_phys(unit.copy) | (unit.root & ~ADDRESS);
		break;
	default:
		return -EINVAL;
	}
	writeq(root, unit.regs + REG_RTADDR);
	return unit_command(GCMD_SRTP, 0, GCMD_SRTP);
}

/* ---- the queue ----------------------------------------------------------- */

/**
 * struct unit_queue - The invalidation queue, as the registers have it
 * @slots: the ring
 * @count: how many there are
 * @shift: of a slot's size
 * @next: the slot that the driver uses next
 */
struct unit_queue {
	void *slots;
	u32 count, shift, next;
};

static int unit_queue_map(struct unit_queue *q)
{
	u64 iqa = readq(unit.regs + REG_IQA);
	size_t size = PAGE_SIZE << (iqa & IQA_SIZE);

	q->shift = iqa & IQA_WIDE ? 5 : 4;
	q->count = size >> q->shift;
	q->next = readq(unit.regs + REG_IQT) >> q->shift;
	if (readq(unit.regs + REG_IQH) >> q->shift != q->next)
		return -EBUSY;
	q->slots = memremap(iqa & ADDRESS, size, MEMREMAP_WB);
	return q->slots ? 0 : -ENXIO;
}

static void unit_queue_put(struct unit_queue *q, u32 at, u64 lo, u64 hi)
{
	u64 *qw = q->slots + ((size_t)at << q->shift);

	memset(qw, 0, 1 << q->shift);
	qw[0] = lo;
	qw[1] = hi;
}

/* Have the unit go on up to a slot. */
static int unit_queue_run(struct unit_queue *q, u32 tail)
{
	u64 head;

	writeq((u64)tail << q->shift, unit.regs + REG_IQT);
	return readq_poll_timeout_atomic(unit.regs + REG_IQH, head,
					 head >> q->shift == tail, 10,
					 USEC_PER_SEC);
}

/* Half a ring at a time: a tail at the head would mean an empty queue. */
static int unit_queue_around(struct unit_queue *q,
			     const struct vtdsim_unit_desc *desc)
{
	u64 wait = (u64)WAIT_DONE << 32 | DESC_WAIT_WRITE | DESC_WAIT;
	u32 i;
	int ret;

	for (i = 0; i < q->count; i++)
		unit_queue_put(q, i, wait, virt_to_phys(unit.status));
	unit_queue_put(q, q->next, desc->qw[0], desc->qw[1]);
	WRITE_ONCE(*unit.status, 0);
	ret = unit_queue_run(q, (q->next + q->count / 2) % q->count);
	if (!ret)
		ret = unit_queue_run(q, q->next);
	if (!ret && READ_ONCE(*unit.status) != WAIT_DONE)
		ret = -EIO;
	return readl(unit.regs + REG_FSTS) & FSTS_QUEUE ? -EIO : ret;
}

/* Nobody is inside the driver's queue now: its lock is held with interrupts off. */
static int unit_invalidate_stopped(void *data)
{
	struct unit_queue q;
	int ret = unit_queue_map(&q);

	if (ret)
		return ret;
	ret = unit_queue_around(&q, data);
	memunmap(q.slots);
	return ret;
}

static int unit_invalidate(struct vtdsim_unit_desc *desc)
{
	return stop_machine(unit_invalidate_stopped, desc, NULL);
}

/* ---- the file ------------------------------------------------------------ */

static int vtdsim_unit_open(struct inode *inode, struct file *filp)
{
	guard(mutex)(&unit.lock);
	if (unit.open)
		return -EBUSY;
	unit.root = readq(unit.regs + REG_RTADDR);
	unit.open = true;
	return 0;
}

/* Entries are the user's to restore, registers are restored here. */
static int vtdsim_unit_release(struct inode *inode, struct file *filp)
{
	guard(mutex)(&unit.lock);
	if (readq(unit.regs + REG_RTADDR) != unit.root)
		unit_root(VTDSIM_UNIT_ROOT_DRIVER);
	if (!(readl(unit.regs + REG_GSTS) & GCMD_TE))
		unit_translation(1);
	unit.open = false;
	return 0;
}

static int unit_entry_command(unsigned int cmd, struct vtdsim_unit_entry *e)
{
	switch (cmd) {
	case VTDSIM_UNIT_SEE:
		return unit_see(e);
	case VTDSIM_UNIT_GET:
		return unit_get(e);
	default:
		return unit_set(e);
	}
}

union unit_arg {
	struct vtdsim_unit_entry entry;
	struct vtdsim_unit_context context;
	struct vtdsim_unit_desc desc;
	__u32 val;
};

static int unit_do(unsigned int cmd, union unit_arg *arg)
{
	switch (cmd) {
	case VTDSIM_UNIT_SEE:
	case VTDSIM_UNIT_GET:
	case VTDSIM_UNIT_SET:
		return unit_entry_command(cmd, &arg->entry);
	case VTDSIM_UNIT_CONTEXT:
		return unit_set_context(&arg->context);
	case VTDSIM_UNIT_TRANSLATION:
		return unit_translation(arg->val);
	case VTDSIM_UNIT_ROOT:
		return unit_root(arg->val);
	case VTDSIM_UNIT_INVALIDATE:
		return unit_invalidate(&arg->desc);
	default:
		return -ENOTTY;
	}
}

static long vtdsim_unit_ioctl(struct file *filp, unsigned int cmd,
			      unsigned long uptr)
{
	union unit_arg arg;
	int ret;

	if (_IOC_TYPE(cmd) != 'V' || _IOC_SIZE(cmd) > sizeof(arg))
		return -ENOTTY;
	if (copy_from_user(&arg, (void __user *)uptr, _IOC_SIZE(cmd)))
		return -EFAULT;
	scoped_guard(mutex, &unit.lock)
		ret = unit_do(cmd, &arg);
	if (!ret && _IOC_DIR(cmd) & _IOC_READ &&
	    copy_to_user((void __user *)uptr, &arg, _IOC_SIZE(cmd)))
		ret = -EFAULT;
	return ret;
}

static const struct file_operations vtdsim_unit_fops = {
	.owner = THIS_MODULE,
	.open = vtdsim_unit_open,
	.release = vtdsim_unit_release,
	.unlocked_ioctl = vtdsim_unit_ioctl,
};

static struct miscdevice vtdsim_unit_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = DRIVER_NAME,
	.fops = &vtdsim_unit_fops,
};

/* ---- the unit ------------------------------------------------------------ */

/* The first unit of the DMAR table. */
static u64 unit_address(void)
{
	struct acpi_table_header *dmar;
	struct acpi_dmar_header *h;
	u64 addr = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &dmar)))
		return 0;
	h = (void *)dmar + sizeof(struct acpi_table_dmar);
	if (h->type == ACPI_DMAR_TYPE_HARDWARE_UNIT)
		addr = ((struct acpi_dmar_hardware_unit *)h)->address;
	acpi_put_table(dmar);
	return addr;
}

static void unit_unmap(void)
{
	free_page((unsigned long)unit.copy);
	kfree(unit.status);
	if (unit.regs)
		iounmap(unit.regs);
}

static int __init vtdsim_unit_init(void)
{
	u64 addr = unit_address();
	int ret = -ENOMEM;

	if (!addr)
		return -ENODEV;
	unit.regs = ioremap(addr, REGS_SIZE);
	unit.copy = (void *)get_zeroed_page(GFP_KERNEL);
	unit.status = kzalloc(sizeof(*unit.status), GFP_KERNEL);
	if (unit.regs && unit.copy && unit.status)
		ret = misc_register(&vtdsim_unit_misc);
	if (ret)
		unit_unmap();
	return ret;
}
module_init(vtdsim_unit_init);

static void __exit vtdsim_unit_exit(void)
{
	misc_deregister(&vtdsim_unit_misc);
	unit_unmap();
}
module_exit(vtdsim_unit_exit);

MODULE_DESCRIPTION("A VT-d unit's registers, for tests in the VT-d lab");
MODULE_LICENSE("GPL");
