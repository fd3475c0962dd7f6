// file: drivers/iommu/intel/gpasid.c
// breaks: unbind makes the entry not present
// run: gpasid_abi
// run: gpasid_bind
@@
expression E;
@@
 vtd_clear(...)
 {
	<...
-	WRITE_ONCE(pe->val[0], E);
	...>
 }

@@
@@
 vtd_reset(...)
 {
	<...
-	pasid_clear_entry(pe);
	...>
 }
