// file: drivers/iommu/io-pgfault.c
// What arrives from a device inside a reset was sent before: no caller waits for it.
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
