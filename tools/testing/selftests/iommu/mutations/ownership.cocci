// file: drivers/iommu/ioasid_set.c
// breaks: a PASID of another set does not exist
// run: gpasid_abi
// run: gpasid_bind
@@
@@
 number_load(struct ioasid_set *set, ioasid_t id)
 {
	<...
-	if (!ioasid || (set && ioasid->set != set))
+	if (!ioasid)
		return NULL;
	...>
 }
