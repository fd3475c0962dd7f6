// file: include/linux/iommu.h
// Which groups wait, and since when, for an administrator who asks why a device
// does.
@@
@@
 struct iopf_group {
	...
	u32 cookie;
+	unsigned long since;
+	struct list_head waiting;
 };
