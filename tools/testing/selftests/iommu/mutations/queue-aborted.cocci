// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a wait that was aborted is not taken for a finished one
// run: gpasid_timeout
@@
identifier status;
@@
 intel_gpasid_queue_check(...)
 {
	<...
-	return *status == QI_ABORT ? -EAGAIN : 0;
+	return *status == QI_ABORT ? -ETIMEDOUT : 0;
	...>
 }
