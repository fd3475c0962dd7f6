// file: drivers/iommu/gpasid_inv.c
// breaks: an invalidation reaches every device of the context
// run: gpasid_devices
@@
@@
 gpasid_inv_under(...)
 {
	<...
	nr++;
+	break;
	...>
 }
