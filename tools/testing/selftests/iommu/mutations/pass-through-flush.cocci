// file: drivers/iommu/intel/pasid.c
// breaks: a pass-through entry that is taken down is invalidated
// run: gpasid_rid -t pass_through_ends_when_a_vmm_takes_the_device
// test: pass_through_ends_when_a_vmm_takes_the_device
// lab: --adverse
@@
@@
 intel_pasid_tear_down_entry(...)
 {
	<...
-	pasid_cache_invalidation_with_pasid(iommu, did, pasid);
+	if (pgtt != PASID_ENTRY_PGTT_PT)
+		pasid_cache_invalidation_with_pasid(iommu, did, pasid);
	...>
 }
