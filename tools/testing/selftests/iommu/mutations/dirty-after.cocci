// file: drivers/iommu/intel/gpasid.c
// breaks: dirty tracking covers what is bound after it started
// run: gpasid_dirty
@@
@@
 vtd_make_entry(...)
 {
	<...
-	if (s2->dirty_tracking)
-		pasid_set_ssade(pe);
	...>
 }
