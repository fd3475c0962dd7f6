// file: drivers/iommu/intel/dmar.c
// A device that is absent, inside a reset or not responding completes no
// invalidation.  Its time-out would abort other submissions.
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
