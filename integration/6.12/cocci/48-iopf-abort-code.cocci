// file: drivers/iommu/io-pgfault.c
// A failure response, which reaches the device since rule 47, ends the
// device's page requests until it is reset.  That is too much for one request
// that cannot be queued, on a device that several VMs may share.
@@
symbol group, attach_handle;
@@
 iommu_report_device_fault(...)
 {
	<...
-	iopf_group_response(group, IOMMU_PAGE_RESP_FAILURE);
+	iopf_group_response(group, iommu_gpasid_abort_code(attach_handle));
	...>
 }
