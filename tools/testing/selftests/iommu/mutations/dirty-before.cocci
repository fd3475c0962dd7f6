// file: drivers/iommu/intel/gpasid.c
// breaks: dirty tracking covers what was bound before it started
// run: gpasid_life
// run: gpasid_dirty
// run: gpasid_bind
@@
@@
 vtd_dirty(...)
 {
-	gpasid_visit_attachments(...);
 }
