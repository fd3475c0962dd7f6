// file: drivers/iommu/intel/gpasid.c
// breaks: the guest's invalidation reaches the IOTLB before the device TLB
// run: gpasid_running -t the_guests_invalidation_ends_the_old_page
// test: the_guests_invalidation_ends_the_old_page
// lab: --adverse
@@
@@
 vtd_inv_range(...)
 {
	<...
+	if (intel_gpasid_has_devtlb(info))
+		vtd_desc_devtlb(&unit->desc[unit->nr++], info, b->pasid,
+				base, order);
	vtd_batch_piotlb(...);
-	if (intel_gpasid_has_devtlb(info))
-	{ ... }
	...>
 }
