// file: drivers/iommu/intel/gpasid.c
// breaks: replace leaves no moment at which DMA faults
// run: gpasid_replace
@@
@@
 vtd_replace(...)
 {
	<...
+	vtd_clear(b);
+	vtd_desc_pasid_cache(&desc[0], b->att->did, b->hpasid, QI_PC_PASID_SEL);
+	qi_submit_sync(iommu, desc, 1, 0);
	WRITE_ONCE(pe->val[2], vtd_first_stage(b));
+	WRITE_ONCE(pe->val[0], READ_ONCE(pe->val[0]) | PASID_PTE_PRESENT);
	...>
 }
