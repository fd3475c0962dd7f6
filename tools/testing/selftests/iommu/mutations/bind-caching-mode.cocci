// file: drivers/iommu/intel/gpasid.c
// breaks: with caching mode a bind invalidates
// run: gpasid_bind
// run: gpasid_abi
// run: gpasid_cost
// lab: --unit seg=1,cm=1 --unit seg=2,cm=1
@@
@@
 vtd_bind(...)
 {
	<...
-	if (!cap_caching_mode(iommu->cap))
+	if (true)
	{ ... }
	...>
 }
