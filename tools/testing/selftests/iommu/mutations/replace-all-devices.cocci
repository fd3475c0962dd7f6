// file: drivers/iommu/gpasid.c
// breaks: a replace gives the new table to all devices of the PASID
// run: gpasid_devices
@@
@@
 gpasid_visit_entries(...)
 {
	<...
-	if (b && b->att->parent == parent && b->state != GPASID_CLEARED)
+	if (b && b->att->parent == parent && b->state != GPASID_CLEARED &&
+	    b->owner == data->owner)
		ret = fn(b, data);
	...>
 }
