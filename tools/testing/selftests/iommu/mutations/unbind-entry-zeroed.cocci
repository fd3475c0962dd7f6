// file: drivers/iommu/intel/gpasid.c
// breaks: unbind leaves the entry whole until nothing uses it
// run: gpasid_running -t nothing_moves_after_an_unbind
// test: nothing_moves_after_an_unbind
// lab: --adverse
@@
expression E;
@@
 vtd_clear(...)
 {
	<...
-	WRITE_ONCE(pe->val[0], E);
+	pasid_clear_entry(pe);
	...>
 }
