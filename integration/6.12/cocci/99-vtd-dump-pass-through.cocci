// file: drivers/iommu/intel/iommu.c
// The report of a fault mistakes a pass-through entry, in either mode, for an
// entry with a table at address 0, and walks on from the contents of that
// address.
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
