// file: drivers/iommu/gpasid.c
// breaks: a PASID has one table under one parent
// run: gpasid_devices
@@
@@
 gpasid_event_bind(...)
 {
	<...
-	ret = gpasid_others_agree(op);
+	ret = 0;
	...>
 }
