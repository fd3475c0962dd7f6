// file: drivers/iommu/intel/dmar.c
// If a device that timed out is absent, the driver fails the submission that
// sees the time-out first, complete or not.  If the device is present, the
// driver retries forever.  A refused descriptor stops the queue for good
// unless it is the first of a submission.
@@
@@
-static int qi_check_fault(...) { ... }

@@
symbol rc, iommu, index, wait_index;
@@
 qi_submit_sync(...)
 {
	<...
-	rc = qi_check_fault(iommu, index, wait_index);
+	rc = intel_gpasid_queue_check(iommu, wait_index);
	...>
 }
