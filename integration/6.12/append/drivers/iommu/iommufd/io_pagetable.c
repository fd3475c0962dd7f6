// SPDX-License-Identifier: GPL-2.0-only

/* For map_file.c, since struct iopt_pages_list is private to this file. */
int iommufd_map_file_list(struct list_head *list, struct iopt_pages *pages,
			  unsigned long start_byte, unsigned long length)
{
	struct iopt_pages_list *elm;

	elm = kzalloc(sizeof(*elm), GFP_KERNEL_ACCOUNT);
	if (!elm)
		return -ENOMEM;
	elm->pages = pages;
	elm->start_byte = start_byte;
	elm->length = length;
	list_add(&elm->next, list);

	return 0;
}
