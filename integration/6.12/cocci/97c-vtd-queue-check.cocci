// file: drivers/iommu/intel/dmar.c
// A time-out ends whichever submission looks first, done or not, when the device
// that has not answered is not there, and one that is there is asked for ever; a
// refused descriptor stops the queue for good unless it is a submission's first.
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
