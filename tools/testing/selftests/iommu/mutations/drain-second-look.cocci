// file: drivers/iommu/intel/gpasid_builtin.c
// breaks: what arrives with the drain of page requests is not the next owner's
// run: gpasid_pri
// lab: --adverse
@@
@@
 intel_gpasid_drain_prq(...)
 {
	...
	for (;;) { ... }
-	intel_gpasid_wait_prq(dev, pasid);
 }
