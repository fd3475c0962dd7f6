// file: drivers/iommu/intel/iommu.c
// Counterpart of rule 97f, also for errors of the probe.
@@
identifier info;
@@
 device_rbtree_remove(struct device_domain_info *info)
 {
	...
	spin_unlock_irqrestore(...);
+	intel_gpasid_port_remove(info);
 }
