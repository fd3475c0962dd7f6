// file: drivers/iommu/gpasid_bind.c
// breaks: a replace gives the new table to all devices of the PASID
// run: gpasid_devices
@@
@@
 gpasid_replace(...)
 {
	<...
-	if (!b || att->own)
+	if (!b || att->own || att->gdev != op->gdev)
		continue;
	...>
 }
