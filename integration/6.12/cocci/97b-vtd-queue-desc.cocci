// file: drivers/iommu/intel/dmar.c
// A device that is not there, is inside a reset or never answers completes no
// invalidation, which would then time out and abort those of others.
@@
identifier iommu, desc, qi, i, offset, shift;
@@
 qi_submit_sync(struct intel_iommu *iommu, struct qi_desc *desc, ...)
 {
	<...
-	memcpy(qi->desc + offset, &desc[i], 1 << shift);
+	intel_gpasid_queue_desc(iommu, qi->desc + offset, &desc[i], i, &tries);
	...>
 }
