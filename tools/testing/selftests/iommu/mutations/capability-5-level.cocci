// file: drivers/iommu/intel/gpasid.c
// breaks: 5-level tables are refused where the unit has none
// run: gpasid_bind
// run: gpasid_abi
// lab: --unit seg=1,fl5lp=0 --unit seg=2,fl5lp=0
@@
@@
 vtd_check_first_stage(...)
 {
	<...
-	if (attrs->addr_width == 57 && !cap_fl5lp_support(iommu->cap))
-		return vtd_refuse(dev, "no 5-level first stage");
	...>
 }
