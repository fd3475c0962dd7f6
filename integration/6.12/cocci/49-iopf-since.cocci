// file: include/linux/iommu.h
// Record which groups wait and since when, so that an administrator can find
// out why a device stalls, which groups a reset of the device has ended, and
// which count against the limit of rule 49f.
@@
@@
 struct iopf_group {
	...
	u32 cookie;
+	unsigned long since;
+	bool ended;
+	bool kept;
+	struct list_head waiting;
 };
