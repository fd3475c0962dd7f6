// file: drivers/iommu/gpasid_fault.c
// breaks: a VM pays for its requests of incomplete groups
// run: gpasid_memcg -t pays_for_requests_of_incomplete_groups
// test: pays_for_requests_of_incomplete_groups
// kernel: debug
@@
@@
-found ? gfp | __GFP_ACCOUNT : gfp
+gfp
