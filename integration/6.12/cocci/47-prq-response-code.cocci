// file: drivers/iommu/intel/prq.c
// The I/O page fault layer and the "Page Group Response Descriptor" number a
// failure differently: the code that the driver passes on unchanged is
// reserved.
@@
symbol msg;
@@
 intel_iommu_page_response(...)
 {
	<...
-	QI_PGRP_RESP_CODE(msg->code)
+	QI_PGRP_RESP_CODE(msg->code == IOMMU_PAGE_RESP_FAILURE ? QI_RESP_FAILURE : msg->code)
	...>
 }
