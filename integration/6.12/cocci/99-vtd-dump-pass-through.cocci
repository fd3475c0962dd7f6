// file: drivers/iommu/intel/iommu.c
// The report of a fault takes a pass-through entry, in either mode, for one with a
// table at address 0, and reads on from what is there.
@@
expression list es;
@@
 dmar_fault_dump_ptes(...)
 {
	<...
-	pgtable_walk(es);
+	if (pgtable != phys_to_virt(0))
+		pgtable_walk(es);
	...>
 }
