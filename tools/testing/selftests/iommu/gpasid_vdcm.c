// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample VDCM (samples/gpasid): virtual devices on one endpoint, each with a
 * guest PASID in an emulated register.
 *
 * The virtual devices stand on queues 0 to 2 of EP_1A.  Queue 3 belongs to the
 * test, which looks into the unit through the BAR in sysfs, past the driver.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"
#include "../../../../samples/gpasid/gpasid_vdcm.h"

#define SYS_PCI		"/sys/bus/pci/"
#define DRIVER		"gpasid_vdcm"
#define PF		EP_1A
#define FIXED		0x6000U		/* a host PASID to ask for by its number */
#define BULK		0x10000ULL	/* bytes of one copy of the busy child */
#define BULK_VA		0x00007f6600000000ULL

static void sleep_ms(int ms)
{
	usleep(ms * 1000);
}

/* ---- the physical function ------------------------------------------------- */

static int pf_bind(void)
{
	int rc;

	if (system("modprobe " DRIVER))
		return -ENOENT;
	sysfs_write(SYS_PCI "devices/" PF "/driver/unbind", PF);
	rc = sysfs_write(SYS_PCI "devices/" PF "/driver_override", DRIVER);
	return rc ?: sysfs_write(SYS_PCI "drivers_probe", PF);
}

/* Back to vfio-pci, as the lab had it. */
static int pf_unbind(void)
{
	int rc;

	sysfs_write(SYS_PCI "devices/" PF "/driver/unbind", PF);
	rc = sysfs_write(SYS_PCI "devices/" PF "/driver_override", "\n");
	return rc ?: sysfs_write(SYS_PCI "drivers_probe", PF);
}

/* The whole BAR, past the driver; only queue LAB_Q_LOOK is used. */
static int look_open(struct lab_dev *lab)
{
	int fd = open(SYS_PCI "devices/" PF "/resource0", O_RDWR | O_CLOEXEC);
	struct vtdsim_queue *q;

	if (fd < 0)
		return -errno;
	lab->size = VTDSIM_BAR_SIZE;
	lab->bar = mmap(NULL, lab->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			0);
	close(fd);
	if (lab->bar == MAP_FAILED)
		return -errno;
	q = (void *)(lab->bar + VTDSIM_BAR_QUEUE(LAB_Q_LOOK));
	__atomic_store_n(&q->enable, 1, __ATOMIC_RELEASE);
	return 0;
}

static const struct vtdsim_queue *hw_queue(struct lab_dev *lab, int q)
{
	return (void *)(lab->bar + VTDSIM_BAR_QUEUE(q));
}

/* ---- a virtual device -------------------------------------------------------- */

/**
 * struct virt - A virtual device, as a VMM has it
 * @dev: the VFIO device
 * @hwpt: what the attach answered
 * @ring: the ring, read only
 * @mem: memory on the device
 */
struct virt {
	struct gvm_dev dev;
	__u32 hwpt;
	const struct vtdsim_desc *ring;
	__u64 *mem;
};

#define REG(name)	offsetof(struct vdcm_regs, name)

static __u32 reg(struct virt *v, size_t offset)
{
	__u32 val = ~0U;

	if (pread(v->dev.fd, &val, sizeof(val),
		  VDCM_REGION_OFFSET(VDCM_REGION_REGS) + offset) != sizeof(val))
		fprintf(stderr, "# register 0x%zx cannot be read\n", offset);
	return val;
}

static int set_reg(struct virt *v, size_t offset, __u32 val)
{
	return pwrite(v->dev.fd, &val, sizeof(val),
		      VDCM_REGION_OFFSET(VDCM_REGION_REGS) + offset) ==
	       sizeof(val) ? 0 : -errno;
}

static void *region(struct virt *v, int index, size_t size, int prot)
{
	return mmap(NULL, size, prot, MAP_SHARED, v->dev.fd,
		    VDCM_REGION_OFFSET(index));
}

static int virt_attach(struct virt *v, __u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.pt_id = pt_id,
	};
	int rc = gvm_ioctl(v->dev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);

	if (!rc)
		v->hwpt = cmd.pt_id;
	return rc;
}

static int virt_open(struct virt *v, struct gvm *vm, int q)
{
	char name[64];
	int rc;

	memset(v, 0, sizeof(*v));
	snprintf(name, sizeof(name), PF "/" DRIVER ".vdev.%d", q);
	rc = gvm_dev_open(&v->dev, name);
	if (rc)
		return rc;
	rc = gvm_dev_bind(&v->dev, vm);
	if (rc)
		return rc;
	v->ring = region(v, VDCM_REGION_RING, VDCM_RING_SIZE, PROT_READ);
	v->mem = region(v, VDCM_REGION_MEM, VDCM_MEM_SIZE,
			PROT_READ | PROT_WRITE);
	return v->ring == MAP_FAILED || v->mem == MAP_FAILED ? -errno : 0;
}

static int virt_add(struct virt *v, struct gvm *vm, int q)
{
	int rc = virt_open(v, vm, q);

	return rc ?: virt_attach(v, vm->ioas);
}

static void virt_close(struct virt *v)
{
	if (v->mem)
		munmap(v->mem, VDCM_MEM_SIZE);
	if (v->ring)
		munmap((void *)v->ring, VDCM_RING_SIZE);
	gvm_dev_close(&v->dev);
	memset(v, 0, sizeof(*v));
	v->dev.fd = -1;
}

static int submit(struct virt *v, const struct vtdsim_desc *d)
{
	return pwrite(v->dev.fd, d, sizeof(*d),
		      VDCM_REGION_OFFSET(VDCM_REGION_REGS) + VDCM_PORTAL) ==
	       sizeof(*d) ? 0 : -errno;
}

/* 8 bytes by DMA with the PASID in the register: a value as of peek(). */
static __u64 virt_dma(struct virt *v, enum vtdsim_op op, unsigned int flags,
		      __u64 va)
{
	struct vtdsim_desc d = {
		.op = op,
		.flags = flags,
		.addr = va,
		.len = sizeof(__u64),
	};
	__u32 slot = reg(v, REG(tail));
	int ms, rc;

	rc = submit(v, &d);
	if (rc)
		return OTHER((unsigned int)-rc);
	for (ms = 0; reg(v, REG(head)) == slot && ms < 5000; ms++)
		sleep_ms(1);
	d = v->ring[slot % VTDSIM_RING_ENTRIES];
	switch (d.status) {
	case VTDSIM_DONE:
		return v->mem[0];
	case VTDSIM_FAULT:
		return FAULT(d.reason);
	case VTDSIM_ATS_DENIED:
		return DENIED;
	}
	return OTHER(0x100 + d.status);
}

static __u64 virt_peek(struct virt *v, unsigned int flags)
{
	return virt_dma(v, VTDSIM_OP_READ, flags, PROC_VA);
}

/* What the guest's driver does to work in an address space. */
static int virt_start(struct virt *v, __u32 gpasid)
{
	int rc = set_reg(v, REG(pasid), gpasid);

	return rc ?: set_reg(v, REG(enable), 1);
}

/* Bind a guest PASID whose host PASID is another number, which may be new. */
static int bind_mapped(struct virt *v, const struct gvm_pt *pt, __u32 gpasid,
		       __u32 *hpasid)
{
	__u32 h;
	int rc = gvm_pasid_g2h(v->dev.vm, gpasid, &h);

	if (rc == -ENOENT)
		rc = gvm_pasid_alloc_guest(v->dev.vm, gpasid, &h);
	if (!rc)
		rc = gvm_bind(&v->dev, pt, gpasid, NULL);
	if (!rc && hpasid)
		*hpasid = h;
	return rc;
}

static __u32 virt_bound(struct virt *v)
{
	struct vfio_device_gpasid_info info;

	return gvm_dev_info(&v->dev, &info) ? ~0U : info.out_bound;
}

/* ---- the VMs -------------------------------------------------------------------- */

static int vm_process(struct gvm *vm, struct process *p, unsigned int tag)
{
	int rc = gvm_pt_init(&p->pt, &vm->ram, 4);

	if (rc)
		return rc;
	p->page = gvm_ram_alloc_page(&vm->ram);
	p->mem = gvm_ram_ptr(&vm->ram, p->page, GVM_SZ_4K);
	*p->mem = TAG(tag);
	return gvm_pt_map(&p->pt, PROC_VA, p->page, GVM_SZ_4K, GVM_SZ_4K,
			  GVM_PT_RW);
}

static int alloc_fixed(struct gvm *vm)
{
	struct iommu_gpasid_alloc cmd = {
		.size = sizeof(cmd),
		.min = FIXED,
		.max = FIXED,
	};

	return gvm_ioctl(vm->iommufd, IOMMU_GPASID_ALLOC, &cmd);
}

static bool number_is_free(void)
{
	struct gvm vm;
	int rc;

	if (gvm_open(&vm, RAM_GPA, GVM_SZ_4K, 0))
		return false;
	rc = alloc_fixed(&vm);
	gvm_close(&vm);
	return !rc;
}

/* DMA without end: the ring is never empty. */
static int keep_busy(struct virt *v, int first)
{
	struct vtdsim_desc d = {
		.op = VTDSIM_OP_COPY,
		.addr = BULK_VA,
		.addr2 = BULK_VA + BULK,
		.len = BULK,
	};
	int rc = 0;

	while (first-- > 0 && !rc)
		rc = submit(v, &d);
	return rc;
}

static int map_bulk(struct gvm *vm, struct process *p)
{
	__u64 gpa = gvm_ram_alloc(&vm->ram, 2 * BULK, GVM_SZ_4K);

	return gvm_pt_map(&p->pt, BULK_VA, gpa, 2 * BULK, GVM_SZ_4K, GVM_PT_RW);
}

/* DMA faults in the kernel's log since kmsg_open(). */
static int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

static int kmsg_faults(int fd)
{
	char line[1024];
	int faults = 0;
	ssize_t len;

	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = 0;
		if (strstr(line, "DMAR: [") || strstr(line, "fault"))
			faults++;
	}
	return faults;
}

/* ---- the bench -------------------------------------------------------------------- */

/* A VM with the virtual device of queue 0, and a process bound as 0x101. */
FIXTURE(vdcm)
{
	struct lab_dev look;		/* the physical function, past the driver */
	struct vtdsim_counters start;
	int kmsg;			/* the kernel's log from the start on */
	struct gvm vm;
	struct virt v;
	struct process p;
	__u32 h;			/* host PASID of 0x101 */
};

FIXTURE_SETUP(vdcm)
{
	ASSERT_EQ(0, pf_bind());
	ASSERT_EQ(0, look_open(&self->look));
	ASSERT_EQ(0, lab_counters(&self->look, &self->start));
	self->kmsg = kmsg_open();
	ASSERT_LE(0, self->kmsg);
	ASSERT_EQ(0, gvm_open(&self->vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, virt_add(&self->v, &self->vm, 0));
	ASSERT_EQ(0, vm_process(&self->vm, &self->p, 1));
	ASSERT_EQ(0, map_bulk(&self->vm, &self->p));
	ASSERT_EQ(0, bind_mapped(&self->v, &self->p.pt, 0x101, &self->h));
	ASSERT_NE(0x101, self->h);
}

/* Every test leaves no fault, no stale hit, and nothing behind. */
FIXTURE_TEARDOWN(vdcm)
{
	struct vtdsim_counters c;

	virt_close(&self->v);
	gvm_close(&self->vm);
	EXPECT_EQ(0, since(&self->look, &self->start, &c));
	EXPECT_EQ(0, c.u_stale_hits);
	EXPECT_EQ(0, c.u_faults);
	EXPECT_EQ(0, kmsg_faults(self->kmsg));
	EXPECT_TRUE(nothing_left(&self->look, 0));
	close(self->kmsg);
	lab_dev_close(&self->look);
	EXPECT_EQ(0, pf_unbind());
}

/* ---- translation ------------------------------------------------------------------- */

TEST_F(vdcm, a_guest_pasid_in_the_register_is_its_host_pasid_in_hardware)
{
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(0x101, reg(&self->v, REG(pasid)));
	EXPECT_EQ(1, reg(&self->v, REG(enable)));
	EXPECT_EQ(0, reg(&self->v, REG(status)));
	EXPECT_EQ(self->h, hw_queue(&self->look, 0)->pasid);
	EXPECT_EQ(1, hw_queue(&self->look, 0)->enable);
}

TEST_F(vdcm, mapped_and_identity_pasids_live_in_one_vm)
{
	struct process q;

	ASSERT_EQ(0, vm_process(&self->vm, &q, 2));
	ASSERT_EQ(0, gvm_bind(&self->v.dev, &q.pt, 0x300, NULL));
	ASSERT_EQ(0, virt_start(&self->v, 0x300));
	EXPECT_EQ(0x300, hw_queue(&self->look, 0)->pasid);
	EXPECT_EQ(TAG(2), virt_peek(&self->v, 0));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(self->h, hw_queue(&self->look, 0)->pasid);
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
}

/* What it has are the VM's PASIDs; none of the wire is its own. */
TEST_F(vdcm, a_virtual_device_has_no_pasids_to_attach)
{
	EXPECT_EQ(-EOPNOTSUPP, gvm_pasid_attach(&self->v.dev, 1,
						self->vm.parent));
	EXPECT_EQ(-EOPNOTSUPP, gvm_pasid_detach(&self->v.dev, 1));
}

TEST_F(vdcm, dma_goes_through_the_guests_table)
{
	struct process q;

	ASSERT_EQ(0, vm_process(&self->vm, &q, 2));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, VTDSIM_F_ATS));
	self->v.mem[0] = TAG(3);
	EXPECT_EQ(TAG(3), virt_dma(&self->v, VTDSIM_OP_WRITE, 0, PROC_VA));
	EXPECT_EQ(TAG(3), *self->p.mem);
	/* The guest moves the page and says so. */
	ASSERT_EQ(0, gvm_pt_move(&self->p.pt, PROC_VA, q.page));
	ASSERT_EQ(0, gvm_invalidate_pasid(&self->vm, 0x101));
	EXPECT_EQ(TAG(2), virt_peek(&self->v, 0));
	EXPECT_EQ(TAG(2), virt_peek(&self->v, VTDSIM_F_ATS));
}

TEST_F(vdcm, dma_reaches_memory_that_the_vm_got_later)
{
	__u64 va = PROC_VA + GVM_SZ_1G;
	__u64 *mem;

	mem = mmap(NULL, GVM_SZ_4K, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	*mem = TAG(2);
	ASSERT_EQ(0, gvm_pt_map(&self->p.pt, va, HOTPLUG_GPA, GVM_SZ_4K,
				GVM_SZ_4K, GVM_PT_RW));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	/* In caching mode the unit remembers that it found nothing. */
	EXPECT_EQ(DENIED, virt_dma(&self->v, VTDSIM_OP_READ, VTDSIM_F_ATS, va));
	ASSERT_EQ(0, gvm_map(&self->vm, HOTPLUG_GPA, mem, GVM_SZ_4K,
			     GVM_MAP_RW));
	EXPECT_EQ(TAG(2), virt_dma(&self->v, VTDSIM_OP_READ, VTDSIM_F_ATS, va));
	EXPECT_EQ(TAG(2), virt_dma(&self->v, VTDSIM_OP_READ, 0, va));
	munmap(mem, GVM_SZ_4K);
}

TEST_F(vdcm, a_replaced_table_is_used_at_once)
{
	struct process q;

	ASSERT_EQ(0, vm_process(&self->vm, &q, 2));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	ASSERT_EQ(0, gvm_replace(&self->v.dev, &q.pt, self->h));
	EXPECT_EQ(TAG(2), virt_peek(&self->v, 0));
}

static bool rejected(struct virt *v, __u32 gpasid)
{
	return !set_reg(v, REG(pasid), gpasid) &&
	       reg(v, REG(pasid)) == VDCM_NO_PASID &&
	       reg(v, REG(status)) == VDCM_STATUS_REJECTED &&
	       !set_reg(v, REG(enable), 1) && !reg(v, REG(enable));
}

TEST_F(vdcm, a_pasid_that_the_vm_does_not_have_is_rejected)
{
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_TRUE(rejected(&self->v, 0x102));
	EXPECT_EQ(0, hw_queue(&self->look, 0)->pasid);
	EXPECT_EQ(0, hw_queue(&self->look, 0)->enable);
	/* Host numbers mean nothing to a guest. */
	EXPECT_TRUE(rejected(&self->v, self->h));
	/* And it gets to work again. */
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
}

TEST_F(vdcm, a_pasid_of_another_vm_is_rejected)
{
	struct process q;
	struct virt w;
	struct gvm vm;
	__u32 h, got;

	ASSERT_EQ(0, gvm_open(&vm, RAM_GPA, RAM_SIZE, 0));
	ASSERT_EQ(0, virt_add(&w, &vm, 1));
	ASSERT_EQ(0, vm_process(&vm, &q, 2));
	ASSERT_EQ(0, bind_mapped(&w, &q.pt, 0x202, &h));

	EXPECT_EQ(-ENOENT, gvm_pasid_g2h(&self->vm, 0x202, &got));
	EXPECT_TRUE(rejected(&self->v, 0x202));
	EXPECT_TRUE(rejected(&self->v, h));
	EXPECT_TRUE(rejected(&w, 0x101));
	EXPECT_EQ(-ENOENT, gvm_unbind(&self->v.dev, h));
	EXPECT_EQ(-ENOENT, gvm_unbind_guest(&self->v.dev, 0x202));

	/* The same guest PASID in two VMs is two address spaces. */
	ASSERT_EQ(0, gvm_unbind(&w.dev, h));
	ASSERT_EQ(0, bind_mapped(&w, &q.pt, 0x101, &h));
	EXPECT_NE(self->h, h);
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	ASSERT_EQ(0, virt_start(&w, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	EXPECT_EQ(TAG(2), virt_peek(&w, 0));
	virt_close(&w);
	gvm_close(&vm);
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
}

TEST_F(vdcm, a_pasid_that_only_another_device_has_bound_is_rejected)
{
	struct virt w;
	__u32 h;

	ASSERT_EQ(0, virt_add(&w, &self->vm, 1));
	EXPECT_TRUE(rejected(&w, 0x101));
	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->vm, 0x300, &h));
	EXPECT_TRUE(rejected(&w, 0x300));
	virt_close(&w);
}

/* ---- what a guest may ask for ------------------------------------------------------- */

TEST_F(vdcm, a_descriptor_cannot_name_a_pasid_or_leave_the_device)
{
	static const struct vtdsim_desc bad[] = {
		{ .op = VTDSIM_OP_READ, .flags = VTDSIM_F_PASID, .len = 8 },
		{ .op = VTDSIM_OP_READ, .flags = VTDSIM_F_QPASID, .len = 8 },
		{ .op = VTDSIM_OP_READ, .flags = VTDSIM_F_PRIV, .len = 8 },
		{ .op = VTDSIM_OP_READ, .flags = VTDSIM_F_ATS | VTDSIM_F_PRI,
		  .len = 8 },
		{ .op = VTDSIM_OP_READ, .len = VDCM_MEM_SIZE + 1 },
		{ .op = VTDSIM_OP_WRITE, .local = VDCM_MEM_SIZE - 4, .len = 8 },
		{ .op = VTDSIM_OP_WRITE, .local = -4, .len = 8 },
		{ .op = VTDSIM_OP_EXPLAIN, .len = 8 },
		{ .op = VTDSIM_OP_CENSUS, .len = 8 },
		{ .op = 0x7f },
	};
	struct vtdsim_desc good = { .op = VTDSIM_OP_NOP };
	unsigned int i;

	EXPECT_EQ(-EIO, submit(&self->v, &good));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EINVAL, submit(&self->v, &bad[i]))
			TH_LOG("descriptor %u", i);
	EXPECT_EQ(0, submit(&self->v, &good));
}

TEST_F(vdcm, the_ring_cannot_be_written)
{
	struct vtdsim_desc d = {};
	__u32 val = 1;

	EXPECT_EQ(MAP_FAILED, region(&self->v, VDCM_REGION_RING, VDCM_RING_SIZE,
				     PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect((void *)self->v.ring, VDCM_RING_SIZE,
			       PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, pwrite(self->v.dev.fd, &d, sizeof(d),
			     VDCM_REGION_OFFSET(VDCM_REGION_RING)));
	EXPECT_EQ(-1, pwrite(self->v.dev.fd, &val, sizeof(val),
			     VDCM_REGION_OFFSET(VDCM_REGION_RING)));
	EXPECT_EQ(MAP_FAILED, region(&self->v, VDCM_REGION_REGS, VDCM_REGS_SIZE,
				     PROT_READ));
	EXPECT_EQ(MAP_FAILED, region(&self->v, VDCM_REGION_MEM,
				     VDCM_MEM_SIZE + 0x1000, PROT_READ));
	EXPECT_EQ(MAP_FAILED, region(&self->v, VDCM_NR_REGIONS, 0x1000,
				     PROT_READ));
}

TEST_F(vdcm, a_device_says_what_it_has)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_device_gpasid_info gpasid;
	struct vfio_region_info reg_info;
	__u32 size = 0, i;

	ASSERT_EQ(0, gvm_ioctl(self->v.dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(VDCM_NR_REGIONS, info.num_regions);
	for (i = 0; i <= info.num_regions; i++) {
		reg_info = (struct vfio_region_info){
			.argsz = sizeof(reg_info),
			.index = i,
		};
		EXPECT_EQ(i < info.num_regions ? 0 : -EINVAL,
			  gvm_ioctl(self->v.dev.fd, VFIO_DEVICE_GET_REGION_INFO,
				    &reg_info));
		size += i < info.num_regions ? reg_info.size : 0;
	}
	EXPECT_EQ(VDCM_REGS_SIZE + VDCM_RING_SIZE + VDCM_MEM_SIZE, size);
	ASSERT_EQ(0, gvm_dev_info(&self->v.dev, &gpasid));
	EXPECT_TRUE(gpasid.out_caps & GPASID_CAP_NEST);
	EXPECT_EQ(1, gpasid.out_bound);
	EXPECT_EQ(-ENOTTY, gvm_ioctl(self->v.dev.fd, _IO(VFIO_TYPE, 0xff), NULL));
}

/* The driver itself cannot tell how the file was opened. */
TEST_F(vdcm, a_file_opened_by_its_group_takes_no_ioctl_of_ours)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_device_gpasid_info gpasid = {};
	struct gvm_dev dev = { .vm = &self->vm };

	dev.fd = open_by_group(&self->vm, PF "/" DRIVER ".vdev.1");
	if (dev.fd == -ENOENT)
		SKIP(return, "no VFIO groups");
	ASSERT_LE(0, dev.fd);
	EXPECT_EQ(0, gvm_ioctl(dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-ENOTTY, gvm_dev_info(&dev, &gpasid));
	EXPECT_EQ(-ENOTTY, gvm_bind(&dev, &self->p.pt, 0x101, NULL));
	EXPECT_EQ(-ENOTTY, gvm_unbind(&dev, self->h));
	close(dev.fd);
}

TEST_F(vdcm, a_reset_stops_the_device_and_keeps_its_bindings)
{
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	ASSERT_EQ(0, gvm_dev_reset(&self->v.dev));
	EXPECT_EQ(0, reg(&self->v, REG(enable)));
	EXPECT_EQ(VDCM_NO_PASID, reg(&self->v, REG(pasid)));
	EXPECT_EQ(0, self->v.mem[0]);
	EXPECT_EQ(1, virt_bound(&self->v));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
}

/* ---- the parent --------------------------------------------------------------------- */

TEST_F(vdcm, devices_of_one_ioas_have_one_parent)
{
	struct virt w;

	ASSERT_EQ(0, virt_add(&w, &self->vm, 1));
	EXPECT_EQ(self->v.hwpt, w.hwpt);
	EXPECT_NE(self->vm.ioas, w.hwpt);
	EXPECT_EQ(-EBUSY, gvm_destroy(&self->vm, w.hwpt));
	/* It goes with its last user. */
	ASSERT_EQ(0, gvm_unbind(&self->v.dev, self->h));
	ASSERT_EQ(0, gvm_dev_detach(&self->v.dev));
	EXPECT_EQ(-EBUSY, gvm_destroy(&self->vm, w.hwpt));
	ASSERT_EQ(0, gvm_dev_detach(&w.dev));
	EXPECT_EQ(-ENOENT, gvm_destroy(&self->vm, w.hwpt));
	virt_close(&w);
}

TEST_F(vdcm, a_bind_cannot_name_another_parent)
{
	struct vfio_device_gpasid_bind arg = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.gpasid = 0x102,
		.pgtbl = self->p.pt.root,
		.pt_id = self->v.hwpt,
	};
	__u32 h;

	ASSERT_EQ(0, gvm_pasid_alloc_guest(&self->vm, 0x102, &h));
	EXPECT_EQ(-EINVAL, gvm_bind_args(&self->v.dev, &arg));
	EXPECT_EQ(1, virt_bound(&self->v));
	arg.pt_id = 0;
	EXPECT_EQ(0, gvm_bind_args(&self->v.dev, &arg));
}

TEST_F(vdcm, a_device_must_be_attached_to_bind)
{
	struct virt w;

	ASSERT_EQ(0, virt_open(&w, &self->vm, 1));
	EXPECT_EQ(-ENODEV, bind_mapped(&w, &self->p.pt, 0x101, NULL));
	EXPECT_EQ(-ENOENT, virt_attach(&w, 0x7fff));
	EXPECT_EQ(-EINVAL, virt_attach(&w, w.dev.devid));
	ASSERT_EQ(0, virt_attach(&w, self->vm.ioas));
	EXPECT_EQ(0, bind_mapped(&w, &self->p.pt, 0x101, NULL));
	virt_close(&w);
}

TEST_F(vdcm, a_device_with_bindings_does_not_move)
{
	__u32 other;

	ASSERT_EQ(0, gvm_ioas_alloc(&self->vm, &other));
	EXPECT_EQ(-EBUSY, virt_attach(&self->v, other));
	EXPECT_EQ(0, virt_attach(&self->v, self->vm.ioas));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	ASSERT_EQ(0, gvm_unbind(&self->v.dev, self->h));
	EXPECT_EQ(0, virt_attach(&self->v, other));
	EXPECT_EQ(0, gvm_dev_detach(&self->v.dev));
	EXPECT_EQ(0, gvm_destroy(&self->vm, other));
}

TEST_F(vdcm, a_device_with_bindings_cannot_be_detached)
{
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(-EBUSY, gvm_dev_detach(&self->v.dev));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	ASSERT_EQ(0, gvm_unbind(&self->v.dev, self->h));
	EXPECT_EQ(0, gvm_dev_detach(&self->v.dev));
}

TEST_F(vdcm, a_virtual_and_a_physical_device_share_a_parent)
{
	struct gvm_dev dev;
	struct lab_dev lab;
	struct process q;
	struct virt w;
	__u32 h;

	ASSERT_EQ(0, gvm_dev_add(&dev, &self->vm, EP_1B));
	ASSERT_EQ(0, lab_dev_init(&lab, dev.bar));
	ASSERT_EQ(0, virt_open(&w, &self->vm, 1));
	ASSERT_EQ(0, virt_attach(&w, self->vm.parent));
	EXPECT_EQ(self->vm.parent, w.hwpt);
	ASSERT_EQ(0, vm_process(&self->vm, &q, 2));
	/* Of the two only the virtual device can translate a number. */
	EXPECT_EQ(-EINVAL, gvm_bind_identity(&dev, &q.pt, self->h));
	ASSERT_EQ(0, gvm_bind(&dev, &q.pt, 0x300, &h));
	ASSERT_EQ(0, gvm_bind(&w.dev, &q.pt, 0x300, NULL));
	ASSERT_EQ(0, virt_start(&w, 0x300));
	EXPECT_EQ(TAG(2), virt_peek(&w, 0));
	EXPECT_EQ(TAG(2), peek_proc(&lab, h, 0));
	/* An unbind on the one does not stop the other. */
	ASSERT_EQ(0, gvm_unbind(&dev, h));
	EXPECT_EQ(1, reg(&w, REG(enable)));
	EXPECT_EQ(TAG(2), virt_peek(&w, 0));
	virt_close(&w);
	gvm_dev_close(&dev);
}

/* ---- sharing ----------------------------------------------------------------------------- */

TEST_F(vdcm, two_devices_share_a_binding)
{
	struct vfio_device_gpasid_bind alias = {
		.flags = VFIO_GPASID_BIND_GPASID,
		.addr_width = 48,
		.pgtbl = self->p.pt.root,
		.hpasid = self->h,
		.gpasid = 0x102,
	};
	struct process q;
	struct virt w;
	__u32 h;

	ASSERT_EQ(0, virt_add(&w, &self->vm, 1));
	ASSERT_EQ(0, vm_process(&self->vm, &q, 2));
	EXPECT_EQ(-EBUSY, bind_mapped(&w, &q.pt, 0x101, &h));
	/* It has one guest PASID, for all owners. */
	EXPECT_EQ(-EEXIST, gvm_bind_args(&w.dev, &alias));
	ASSERT_EQ(0, bind_mapped(&w, &self->p.pt, 0x101, &h));
	EXPECT_EQ(self->h, h);
	EXPECT_EQ(-EBUSY, bind_mapped(&w, &self->p.pt, 0x101, &h));
	EXPECT_EQ(1, virt_bound(&self->v));
	EXPECT_EQ(1, virt_bound(&w));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	ASSERT_EQ(0, virt_start(&w, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	EXPECT_EQ(TAG(1), virt_peek(&w, 0));

	/* The first one to go stops, the other one does not notice. */
	ASSERT_EQ(0, keep_busy(&self->v, 50));
	ASSERT_EQ(0, gvm_unbind(&self->v.dev, self->h));
	EXPECT_EQ(0, reg(&self->v, REG(enable)));
	EXPECT_EQ(VDCM_STATUS_REVOKED, reg(&self->v, REG(status)));
	EXPECT_EQ(0, hw_queue(&self->look, 0)->busy);
	EXPECT_TRUE(rejected(&self->v, 0x101));
	EXPECT_TRUE(entry_present(&self->look, self->h));
	EXPECT_EQ(1, reg(&w, REG(enable)));
	EXPECT_EQ(TAG(1), virt_peek(&w, 0));

	/* The second one, which was not there at the BIND, takes it down. */
	ASSERT_EQ(0, keep_busy(&w, 200));
	ASSERT_EQ(0, gvm_unbind(&w.dev, self->h));
	EXPECT_FALSE(entry_present(&self->look, self->h));
	EXPECT_TRUE(nothing_left(&self->look, 0));
	EXPECT_EQ(0, reg(&w, REG(enable)));
	virt_close(&w);
}

TEST_F(vdcm, a_close_leaves_a_shared_binding_to_the_other)
{
	struct virt w;

	ASSERT_EQ(0, virt_add(&w, &self->vm, 1));
	ASSERT_EQ(0, bind_mapped(&w, &self->p.pt, 0x101, NULL));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	ASSERT_EQ(0, virt_start(&w, 0x101));
	ASSERT_EQ(0, keep_busy(&self->v, 50));
	virt_close(&self->v);
	EXPECT_EQ(0, hw_queue(&self->look, 0)->enable);
	EXPECT_EQ(TAG(1), virt_peek(&w, 0));
	/* Free it under the second one, which joined after the BIND event. */
	ASSERT_EQ(0, keep_busy(&w, 50));
	ASSERT_EQ(0, gvm_pasid_free(&self->vm, self->h));
	EXPECT_EQ(0, reg(&w, REG(enable)));
	EXPECT_TRUE(nothing_left(&self->look, 0));
	virt_close(&w);
}

/* ---- teardown under load ------------------------------------------------------------------- */

TEST_F(vdcm, a_running_device_is_stopped_before_its_pasid_goes)
{
	__u32 h;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, virt_start(&self->v, 0x101));
		ASSERT_EQ(0, keep_busy(&self->v, 200));
		ASSERT_EQ(0, i & 1 ? gvm_unbind(&self->v.dev, self->h) :
				     gvm_pasid_free(&self->vm, self->h));
		EXPECT_TRUE(nothing_left(&self->look, 0));
		EXPECT_EQ(0, reg(&self->v, REG(enable)));
		EXPECT_EQ(VDCM_NO_PASID, reg(&self->v, REG(pasid)));
		EXPECT_EQ(VDCM_STATUS_REVOKED, reg(&self->v, REG(status)));
		EXPECT_EQ(0, hw_queue(&self->look, 0)->busy);
		/* It had work left, which it has forgotten. */
		EXPECT_EQ(reg(&self->v, REG(head)), reg(&self->v, REG(tail)));
		EXPECT_EQ(-ENOENT, gvm_unbind(&self->v.dev, self->h));
		ASSERT_EQ(0, bind_mapped(&self->v, &self->p.pt, 0x101, &h));
		self->h = h;
	}
}

/* In a child: a VM whose device never rests. */
static void victim(int ready)
{
	struct process p;
	struct virt v;
	struct gvm vm;
	bool told = false;
	int rc;

	rc = gvm_open(&vm, RAM_GPA, RAM_SIZE, 0) ?:
	     virt_add(&v, &vm, 2) ?: vm_process(&vm, &p, 3) ?:
	     map_bulk(&vm, &p) ?: alloc_fixed(&vm) ?:
	     gvm_bind_identity(&v.dev, &p.pt, FIXED) ?:
	     virt_start(&v, FIXED);
	while (!rc || rc == -EBUSY) {
		rc = keep_busy(&v, VTDSIM_RING_ENTRIES);
		if (!told && write(ready, "y", 1) != 1)
			break;
		told = true;
	}
	_exit(1);
}

TEST_F_TIMEOUT(vdcm, a_vm_killed_at_work_leaves_nothing_and_harms_no_other, 120)
{
	int ready[2], status, i;
	pid_t pid;
	char c;

	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		if (!pid) {
			close(ready[0]);
			victim(ready[1]);
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &c, 1));
		close(ready[0]);
		sleep_ms(rand() % 40);
		EXPECT_EQ(1, hw_queue(&self->look, 2)->enable);
		EXPECT_EQ(FIXED, hw_queue(&self->look, 2)->pasid);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(0, hw_queue(&self->look, 2)->enable);
		EXPECT_EQ(0, hw_queue(&self->look, 2)->busy);
		EXPECT_TRUE(nothing_left(&self->look, FIXED));
		ASSERT_TRUE(number_is_free());
		EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	}
}

/* ---- the driver goes ------------------------------------------------------------------------ */

TEST_F(vdcm, unbinding_the_driver_waits_for_the_close)
{
	pid_t pid;

	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	pid = later("echo " PF " >" SYS_PCI "drivers/" DRIVER "/unbind");
	sleep_ms(300);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	ASSERT_EQ(0, keep_busy(&self->v, 100));
	virt_close(&self->v);
	EXPECT_TRUE(ended_well(pid, 5000));
	EXPECT_TRUE(nothing_left(&self->look, 0));
}

TEST_F(vdcm, removing_the_function_under_a_vm_that_is_killed_leaves_nothing)
{
	int ready[2];
	pid_t vm, pid;
	char c;

	virt_close(&self->v);
	ASSERT_EQ(0, pipe(ready));
	vm = fork();
	if (!vm) {
		close(ready[0]);
		victim(ready[1]);
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	close(ready[0]);
	pid = later("echo 1 >" SYS_PCI "devices/" PF "/remove");
	sleep_ms(200);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	kill(vm, SIGKILL);
	ASSERT_EQ(vm, waitpid(vm, NULL, 0));
	EXPECT_TRUE(ended_well(pid, 5000));
	EXPECT_TRUE(number_is_free());
	ASSERT_EQ(0, sysfs_write(SYS_PCI "rescan", "1"));
	EXPECT_TRUE(nothing_left(&self->look, 0));
}

TEST_F(vdcm, the_module_goes_when_its_devices_are_closed)
{
	EXPECT_NE(0, system("rmmod " DRIVER " 2>/dev/null"));
	ASSERT_EQ(0, virt_start(&self->v, 0x101));
	EXPECT_EQ(TAG(1), virt_peek(&self->v, 0));
	virt_close(&self->v);
	EXPECT_EQ(0, system("rmmod " DRIVER));
	EXPECT_TRUE(nothing_left(&self->look, 0));
}

TEST(the_lab_gets_its_endpoint_back)
{
	struct gvm_dev dev;

	ASSERT_EQ(0, pf_bind());
	EXPECT_NE(0, gvm_dev_open(&dev, PF));
	ASSERT_EQ(0, pf_unbind());
	EXPECT_EQ(0, system("rmmod " DRIVER));
	ASSERT_EQ(0, gvm_dev_open(&dev, PF));
	gvm_dev_close(&dev);
}

TEST_HARNESS_MAIN
