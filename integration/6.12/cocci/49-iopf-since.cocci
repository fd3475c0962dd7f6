// file: include/linux/iommu.h
// Which groups wait, and since when, for an administrator who asks why a device
// does; and which a reset of the device has ended.
@@
@@
 struct iopf_group {
	...
	u32 cookie;
+	unsigned long since;
+	bool ended;
+	struct list_head waiting;
 };
