// file: drivers/iommu/gpasid.c
// breaks: a PASID has one table under one parent
// run: gpasid_devices
@@
@@
 gpasid_event_bind(...)
 {
	<...
-	if (!gpasid_table_agrees(op))
-		return -EBUSY;
	...>
 }
