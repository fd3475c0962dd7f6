// file: drivers/iommu/intel/prq.c
// Limit the rate: a guest can make its device send malformed requests.
@@
expression list E;
@@
-	pr_err
+	pr_err_ratelimited
	(E);
