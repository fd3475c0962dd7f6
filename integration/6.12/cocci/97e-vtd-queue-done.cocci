// file: drivers/iommu/intel/dmar.c
// A wait can be over although part of what was submitted was not done.
@@
identifier flags;
symbol rc, i, index, count, desc, iommu;
@@
 qi_submit_sync(...)
 {
	...
	unsigned long flags;
+	struct intel_gpasid_tries tries = {};
	...
	while (READ_ONCE(...) != QI_DONE) { ... }
+	if (!rc)
+		rc = intel_gpasid_queue_done(iommu, index, count, &tries);
	...
 }
