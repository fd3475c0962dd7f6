// file: drivers/iommu/gpasid.c
// breaks: an invalidation reaches every device of the context
// run: gpasid_devices
@@
@@
 gpasid_inv_one(...)
 {
	<...
	rcu_read_unlock();
+	if (!ret)
+		break;
	...>
 }
