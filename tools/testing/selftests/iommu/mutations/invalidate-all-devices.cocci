// file: drivers/iommu/gpasid.c
// breaks: an invalidation reaches every device of the context
// run: gpasid_bind
// run: gpasid_life
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
