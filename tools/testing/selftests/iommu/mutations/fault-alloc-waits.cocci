// file: drivers/iommu/gpasid_fault.c
// breaks: the page-request thread does not wait for memory of a VM
// run: gpasid_memcg
// kernel: debug
@@
@@
-	GFP_NOWAIT | __GFP_NOWARN
+	GFP_KERNEL
