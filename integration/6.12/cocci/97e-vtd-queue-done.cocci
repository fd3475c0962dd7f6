// file: drivers/iommu/intel/dmar.c
// A wait descriptor can complete although other descriptors of the submission
// were aborted or refused.
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
