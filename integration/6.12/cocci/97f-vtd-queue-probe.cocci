// file: drivers/iommu/intel/iommu.c
// Tell the queue which devices can be sent invalidations.
@@
identifier info, iommu;
symbol ret, free, clear_rbtree;
@@
 intel_iommu_probe_device(...)
 {
	<...
	ret = device_rbtree_insert(iommu, info);
	if (ret)
		goto free;
+	ret = intel_gpasid_port_add(info);
+	if (ret)
+		goto clear_rbtree;
	...>
 }
