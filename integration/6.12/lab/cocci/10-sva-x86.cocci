// file: drivers/iommu/iommu-sva.c
// The stable kernel refuses native SVA on x86.  The lab compares with it, and
// shows that it works beside guest PASIDs, so a kernel for the lab has it.
@@
identifier dev, mm;
@@
 iommu_sva_bind_device(struct device *dev, struct mm_struct *mm)
 {
	<...
-	if (IS_ENABLED(CONFIG_X86))
+	if (IS_ENABLED(CONFIG_X86) && !IS_ENABLED(CONFIG_LAB_SVA_X86))
		return ...;
	...>
 }
