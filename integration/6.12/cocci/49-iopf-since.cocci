// file: include/linux/iommu.h
// Record which groups wait and since when, so that an administrator can find
// out why a device stalls, and which groups a reset of the device has ended.
@@
@@
 struct iopf_group {
	...
	u32 cookie;
+	unsigned long since;
+	bool ended;
+	struct list_head waiting;
 };
