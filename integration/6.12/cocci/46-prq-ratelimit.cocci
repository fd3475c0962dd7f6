// file: drivers/iommu/intel/prq.c
// A guest can have its device send requests that are malformed.
@@
expression list E;
@@
-	pr_err
+	pr_err_ratelimited
	(E);
