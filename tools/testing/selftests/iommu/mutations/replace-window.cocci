// file: drivers/iommu/intel/gpasid.c
// breaks: replace leaves no moment at which DMA faults
// run: gpasid_replace
@@
typedef u64;
@@
 vtd_set_table(...)
 {
	<...
+	struct qi_desc desc;
+
+	WRITE_ONCE(pe->val[0], READ_ONCE(pe->val[0]) & ~(u64)PASID_PTE_PRESENT);
+	vtd_desc_pasid_cache(&desc, vtd_did(b->att), b->pasid, QI_PC_PASID_SEL);
+	vtd_submit(info->iommu, &desc, 1);
	WRITE_ONCE(pe->val[2], vtd_first_stage(b->table));
	...>
 }
