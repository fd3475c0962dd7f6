/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driver of the lab's endpoints: a DMA engine in BAR 0, and the counters and
 * inner state of the VT-d unit above it.  vtdsim_abi.h says what the hardware
 * understands.
 *
 * One thread at a time on a queue.  Queue LAB_Q_LOOK serves lab_explain() and
 * lab_census(); the others are the caller's.
 */
#ifndef LAB_DEV_H
#define LAB_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include "../../vtdsim/vtdsim_abi.h"

#define LAB_Q_LOOK	(VTDSIM_NR_QUEUES - 1)
#define LAB_NR_DMA_Q	(VTDSIM_NR_QUEUES - 1)

/* Local memory: a part for each queue. */
#define LAB_LOCAL_SIZE	(VTDSIM_LOCAL_SIZE / VTDSIM_NR_QUEUES)
#define LAB_LOCAL(q)	((q) * LAB_LOCAL_SIZE)

/* Fault reasons, VT-d "Fault conditions", for requests in scalable mode. */
enum lab_reason {
	LAB_R_DIR_NOT_PRESENT = 0x51,
	LAB_R_PASID_NOT_PRESENT = 0x59,
	LAB_R_PASID_RESERVED = 0x5a,
	LAB_R_PASID_INVALID = 0x5b,
	LAB_R_ERE_CLEAR = 0x5c,
	LAB_R_SRE_CLEAR = 0x5d,
	LAB_R_FS_ACCESS = 0x70,
	LAB_R_FS_NOT_PRESENT = 0x71,
	LAB_R_FS_RESERVED = 0x72,
	LAB_R_FS_ROOT_ACCESS = 0x73,
	LAB_R_FS_BEYOND_GAW = 0x74,
	LAB_R_FS_ROOT_SS_READ = 0x75,
	LAB_R_FS_SS_READ = 0x76,
	LAB_R_FS_SS_WRITE = 0x77,
	LAB_R_SS_ACCESS = 0x78,
	LAB_R_SS_PERM = 0x79,
	LAB_R_SS_RESERVED = 0x7a,
	LAB_R_NOT_CANONICAL = 0x80,
	LAB_R_USER = 0x81,
	LAB_R_EXEC = 0x82,
	LAB_R_SS_BEYOND = 0x84,
	LAB_R_WRITE = 0x85,
	LAB_R_READ = 0x86,
};

/**
 * struct lab_dev - An endpoint, as a driver sees it
 * @bar: BAR 0
 * @size: bytes, set only when lab_dev_open_sysfs() mapped it
 */
struct lab_dev {
	char *bar;
	size_t size;
};

/* Start the engine behind a BAR that a VFIO user has mapped. */
int lab_dev_init(struct lab_dev *lab, void *bar);

/* The same through sysfs: works whatever driver has the device. */
int lab_dev_open_sysfs(struct lab_dev *lab, const char *address);
void lab_dev_close(struct lab_dev *lab);

/* A reset, such as the one at each close of a VFIO device, stops the engine. */
int lab_dev_restart(struct lab_dev *lab);

/* Only the queue for looks: the others are another process's. */
int lab_look_restart(struct lab_dev *lab);

/* Registers of the endpoint; they stay where they are. */
const struct vtdsim_regs *lab_regs(const struct lab_dev *lab);

/* Failures on demand: LAB_FAIL(mute) and the like, as many as @times. */
#define LAB_FAIL(what)	offsetof(struct vtdsim_regs, what)
void lab_fail(struct lab_dev *lab, size_t what, __u32 times);

/* How many of them are left. */
__u32 lab_fails(const struct lab_dev *lab, size_t what);

/* Whether caches of the hardware drop by chance what they hold. */
bool lab_forgets(const struct lab_dev *lab);

void *lab_local(const struct lab_dev *lab, unsigned int q);

/* Put a descriptor on the ring: EBUSY when it is full. */
int lab_submit(struct lab_dev *lab, unsigned int q,
	       const struct vtdsim_desc *desc);

/* Wait until the queue is empty: ETIMEDOUT. */
int lab_wait(struct lab_dev *lab, unsigned int q, unsigned int ms);

/* A descriptor of the last 256, counted back from the newest, which is 0. */
void lab_result(struct lab_dev *lab, unsigned int q, unsigned int back,
		struct vtdsim_desc *desc);

/*
 * One descriptor, start to end; @desc gets what the hardware wrote.  Returns
 * its enum vtdsim_status, or a negative errno.
 */
int lab_run(struct lab_dev *lab, unsigned int q, struct vtdsim_desc *desc);

/* The usual ones.  @flags: VTDSIM_F_*; VTDSIM_F_PASID is added. */
int lab_copy(struct lab_dev *lab, unsigned int q, __u32 pasid,
	     unsigned int flags, __u64 to, __u64 from, __u32 len);
int lab_read(struct lab_dev *lab, unsigned int q, __u32 pasid,
	     unsigned int flags, __u64 from, void *buf, __u32 len);
int lab_write(struct lab_dev *lab, unsigned int q, __u32 pasid,
	      unsigned int flags, __u64 to, const void *buf, __u32 len);

/*
 * DMA that goes on until lab_loop_stop(): 8 bytes at @va are read and those
 * behind them written, as @how says (software's part of it).  What the hardware
 * counts can be read through lab_loop() while it runs.
 */
int lab_loop_start(struct lab_dev *lab, unsigned int q, __u32 pasid,
		   unsigned int flags, __u64 va, const struct vtdsim_loop *how);
struct vtdsim_loop *lab_loop(const struct lab_dev *lab, unsigned int q);

/* The accesses that were tried so far, in any case of their outcome. */
__u64 lab_loop_tried(const struct lab_dev *lab, unsigned int q);

/* Wait until @more accesses, begun after this call, are over: ETIMEDOUT. */
int lab_loop_wait(const struct lab_dev *lab, unsigned int q, __u64 more);

/* End it; @out gets its counts. */
int lab_loop_stop(struct lab_dev *lab, unsigned int q, struct vtdsim_loop *out);

/* How the hardware would translate @addr now, changing nothing. */
int lab_explain(struct lab_dev *lab, __u32 pasid, __u64 addr,
		struct vtdsim_explain *out);

/* What is left of @pasid on this endpoint, or of all for 0. */
int lab_census(struct lab_dev *lab, __u32 pasid, struct vtdsim_census *out);

/* Exact counters; their difference, which may overwrite either. */
int lab_counters(struct lab_dev *lab, struct vtdsim_counters *out);
void lab_counters_sub(const struct vtdsim_counters *now,
		      const struct vtdsim_counters *then,
		      struct vtdsim_counters *out);

const char *lab_status_name(int status);
const char *lab_reason_name(unsigned int reason);

/* "pasid-cache 1, piotlb 2, wait 1" or "none", into @buf. */
const char *lab_descriptors(const struct vtdsim_counters *c, char *buf,
			    size_t size);

#endif /* LAB_DEV_H */
