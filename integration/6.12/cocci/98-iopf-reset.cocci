// file: drivers/iommu/io-pgfault.c
// A request that arrives while the device is inside a reset was sent before
// the reset and needs no response.
@@
identifier dev, evt, attach_handle;
@@
 iommu_report_device_fault(struct device *dev, struct iopf_fault *evt)
 {
	...
+	if (gpasid_in_reset(dev))
+		return 0;
	attach_handle = find_fault_handler(dev, evt);
	...
 }
