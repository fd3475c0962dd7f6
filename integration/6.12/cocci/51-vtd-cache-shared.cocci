// file: drivers/iommu/intel/cache.c
// gpasid_builtin.c also assigns tags and batches descriptors.  A function
// missed here fails to compile, since gpasid.h declares all of them.
@@
identifier f = {cache_tag_assign, cache_tag_unassign, cache_tag_flush_devtlb_all, domain_qi_batch_alloc, qi_batch_flush_descs, qi_batch_increment_index};
type T;
@@
-static
 T f(...) { ... }
