// file: drivers/iommu/intel/gpasid.c
// breaks: dirty tracking covers what was bound before it started
// run: gpasid_dirty
@@
@@
 vtd_dirty_switch(...)
 {
-	gpasid_visit_attachments(&parent->domain, vtd_dirty_set, parent);
 }
