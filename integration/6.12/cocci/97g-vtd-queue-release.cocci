// file: drivers/iommu/intel/iommu.c
// The other end of rule 97f, and of its errors.
@@
identifier info;
@@
 device_rbtree_remove(struct device_domain_info *info)
 {
	...
	spin_unlock_irqrestore(...);
+	intel_gpasid_port_remove(info);
 }
