// file: include/uapi/linux/iommufd.h
// As Linux 7.3: the user can request a type of IOMMU_GET_HW_INFO data.
@@
typedef __u32;
@@
+#define IOMMU_HW_INFO_FLAG_INPUT_TYPE	(1 << 0)
 struct iommu_hw_info {
	...
-	__u32 out_data_type;
+	union {
+		__u32 in_data_type;
+		__u32 out_data_type;
+	};
	...
 };
