// file: drivers/iommu/io-pgfault.c
// A bound guest PASID has no attach handle in the device's group.  Its page
// requests are reported to the binding core.
@@
identifier dev, evt, ops, fault;
symbol attach_handle;
@@
 find_fault_handler(struct device *dev, struct iopf_fault *evt)
 {
	...
	struct iommu_fault *fault = &evt->fault;
	<...
	const struct iommu_ops *ops = dev_iommu_ops(dev);
+	attach_handle = iommu_gpasid_attach_handle(dev, fault->prm.pasid);
+	if (attach_handle)
+		return attach_handle;
	...>
 }
