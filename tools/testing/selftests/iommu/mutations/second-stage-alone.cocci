// file: drivers/iommu/intel/gpasid.c
// breaks: a PASID can be attached to the parent itself
// run: gpasid_upstream_dma -t a_pasid_can_be_attached_to_the_parent_itself
// test: a_pasid_can_be_attached_to_the_parent_itself
@@
@@
 vtd_pgtt(...)
 {
-	return table->second_stage ? PASID_ENTRY_PGTT_SL_ONLY : PASID_ENTRY_PGTT_NESTED;
+	return PASID_ENTRY_PGTT_NESTED;
 }
