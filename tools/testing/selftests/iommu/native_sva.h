/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own SVA on an endpoint of the lab: this process's address space,
 * by the lab's driver vtdsim_sva.
 */
#ifndef NATIVE_SVA_H
#define NATIVE_SVA_H

#include "gpasid_utils.h"

#define NATIVE		EP_1B

/**
 * struct native_sva - A file of vtdsim_sva
 * @fd: the file
 * @pasid: of this process
 * @bar: BAR 0
 * @lab: the engine behind it
 */
struct native_sva {
	int fd;
	__u32 pasid;
	void *bar;
	struct lab_dev lab;
};

/* The endpoint goes to vtdsim_sva, and back to vfio-pci. */
int native_sva_take(void);
int native_sva_give_back(void);

/* Open the file, which binds this process: a descriptor or a negative errno. */
int native_sva_file(void);

/* Take the endpoint, open it and map it; ends the program on an error. */
void native_sva_open(struct native_sva *n);

/* Give the endpoint back while the file is open, then close that. */
void native_sva_close(struct native_sva *n);

#endif /* NATIVE_SVA_H */
