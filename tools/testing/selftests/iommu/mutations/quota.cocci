// file: drivers/iommu/ioasid_set.c
// breaks: a set does not exceed its quota
// run: gpasid_abi
@@
@@
 set_charge(...)
 {
	<...
-	if (set_count(set) >= set->quota)
-		return -ENOSPC;
	...>
 }
