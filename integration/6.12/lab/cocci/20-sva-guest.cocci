// file: drivers/iommu/intel/svm.c
// QEMU's VT-d unit does not set ECAP.SMPWC, whose page walks it makes coherently
// all the same. A guest kernel for the lab binds processes there.
@@
identifier iommu;
@@
 intel_svm_check(struct intel_iommu *iommu)
 {
	<...
-	!ecap_smpwc(iommu->ecap)
+	(!ecap_smpwc(iommu->ecap) && !IS_ENABLED(CONFIG_LAB_SVA_GUEST))
	...>
 }
