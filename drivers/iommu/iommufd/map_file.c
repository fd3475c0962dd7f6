// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_MAP_FILE: map guest memory by its memfd.
 *
 * In a struct iopt_pages with a file, uptr is the position in the file.  The
 * pages are pinned through the file, so no process has to map them.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <uapi/linux/iommufd.h>

#include "gpasid.h"
#include "io_pagetable.h"
#include "iommufd_private.h"

#define MAP_FILE_FLAGS	(IOMMU_IOAS_MAP_FIXED_IOVA | \
			 IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

/*
 * Pin @npages pages at @pos, an address or a position in the file.  Each page
 * is pinned separately, since the pages are unpinned one by one.  Return the
 * number of pinned pages, or a negative errno if it is 0.
 */
long iommufd_map_file_pin(struct iopt_pages *pages, unsigned long pos,
			  unsigned long npages, unsigned int gup_flags,
			  struct page **out)
{
	struct folio *folio;
	unsigned long i;
	pgoff_t offset;
	long rc = 0;

	if (!pages->file)
		return pin_user_pages_fast(pos, npages, gup_flags, out);
	for (i = 0; i < npages; i++, pos += PAGE_SIZE) {
		rc = memfd_pin_folios(pages->file, pos, pos + PAGE_SIZE - 1,
				      &folio, 1, &offset);
		if (rc != 1)
			break;
		out[i] = folio_page(folio, offset >> PAGE_SHIFT);
	}
	return i ?: rc;
}

/*
 * Return true if @file is shmem or hugetlbfs.  memfd_pin_folios() refuses other
 * files, but pages of an IOAS without a device are pinned later.  Until then, a
 * file that holds a reference on the context, as a bound device file does, and
 * the context would keep each other alive.
 */
static bool map_file_is_memory(struct file *file)
{
	return shmem_file(file) || is_file_hugepages(file);
}

static unsigned int map_file_seals(struct file *file)
{
	struct inode *inode = file_inode(file);

#ifdef CONFIG_HUGETLBFS
	if (is_file_hugepages(file))
		return HUGETLBFS_I(inode)->seals;
#endif
	return SHMEM_I(inode)->seals;
}

/*
 * Allow devices to write to the file, as a shared mapping of a process does.
 * The file cannot be sealed against writes until map_file_end_write().
 */
static int map_file_begin_write(struct file *file)
{
	int rc;

	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	rc = mapping_map_writable(file->f_mapping);
	if (!rc && map_file_seals(file) & F_SEAL_FUTURE_WRITE) {
		mapping_unmap_writable(file->f_mapping);
		rc = -EPERM;
	}
	return rc;
}

static void map_file_end_write(struct file *file)
{
	mapping_unmap_writable(file->f_mapping);
}

void iommufd_map_file_release(struct iopt_pages *pages)
{
	if (!pages->file)
		return;
	if (pages->writable)
		map_file_end_write(pages->file);
	fput(pages->file);
}

static struct iopt_pages *map_file_pages(struct iommufd_ctx *ictx,
					 struct file *file,
					 const struct iommu_ioas_map_file *cmd)
{
	bool write = cmd->flags & IOMMU_IOAS_MAP_WRITEABLE;
	struct iopt_pages *pages;
	int rc;

	if (!map_file_is_memory(file))
		return ERR_PTR(-EINVAL);
	rc = write ? map_file_begin_write(file) : 0;
	if (rc)
		return ERR_PTR(rc);
	pages = iopt_alloc_pages(u64_to_user_ptr(cmd->start), cmd->length,
				 write);
	if (IS_ERR(pages)) {
		if (write)
			map_file_end_write(file);
		return pages;
	}
	pages->file = get_file(file);
	if (ictx->account_mode == IOPT_PAGES_ACCOUNT_MM &&
	    pages->account_mode == IOPT_PAGES_ACCOUNT_USER)
		pages->account_mode = IOPT_PAGES_ACCOUNT_MM;

	return pages;
}

static int map_file(struct iommufd_ctx *ictx, struct io_pagetable *iopt,
		    const struct iommu_ioas_map_file *cmd, unsigned long *iova)
{
	bool fixed = cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA;
	struct iopt_pages *pages;
	int prot = IOMMU_CACHE;
	LIST_HEAD(list);
	struct file *file;
	int rc;

	if (cmd->flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	if (cmd->flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;

	file = fget(cmd->fd);
	if (!file)
		return -EBADF;
	pages = map_file_pages(ictx, file, cmd);
	fput(file);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	rc = iommufd_map_file_list(&list, pages, offset_in_page(cmd->start),
				   cmd->length);
	if (rc) {
		iopt_put_pages(pages);
		return rc;
	}

	rc = iopt_map_pages(iopt, &list, cmd->length, iova, prot,
			    fixed ? 0 : IOPT_ALLOC_IOVA);
	/* On success the areas own the pages. */
	iopt_free_pages_list(&list);

	return rc;
}

int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	unsigned long iova = cmd->iova;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags & ~MAP_FILE_FLAGS)
		return -EOPNOTSUPP;
	if (cmd->iova >= ULONG_MAX || cmd->length >= ULONG_MAX)
		return -EOVERFLOW;
	if (!(cmd->flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)))
		return -EINVAL;

	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = map_file(ucmd->ictx, &ioas->iopt, cmd, &iova);
	if (!rc) {
		cmd->iova = iova;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &ioas->obj);

	return rc;
}
