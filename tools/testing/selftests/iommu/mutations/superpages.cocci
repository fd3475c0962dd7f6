// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: a unit without the parent's superpages is refused
// run: gpasid_caps
// lab: --unit seg=1 --unit seg=2,sslps=0
@@
symbol has;
expression E;
@@
 intel_gpasid_has_superpages(...)
 {
	...
-	return !(E & ~has);
+	return !(has & 0);
 }
