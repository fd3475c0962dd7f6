// file: drivers/iommu/iommufd/gpasid_fault.c
// breaks: a page request that could not be copied can be read again
// run: gpasid_pri
@@
@@
 gpasid_fault_copy(...)
 {
	<...
	n = gpasid_fault_peek(ff->q, records, n);
+	gpasid_fault_take(ff->q, records, n);
	if (copy_to_user(...))
		return ...;
-	gpasid_fault_take(ff->q, records, n);
	...>
 }
