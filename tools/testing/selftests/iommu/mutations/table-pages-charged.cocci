// file: drivers/iommu/intel/gpasid.c
// breaks: no VM pays for pages of a PASID table
// run: gpasid_memcg
// kernel: debug
@@
@@
 vtd_table_get(...)
 {
	<...
-	iommu_alloc_page_node(info->iommu->node, GFP_KERNEL)
+	iommu_alloc_page_node(info->iommu->node, GFP_KERNEL_ACCOUNT)
	...>
 }
