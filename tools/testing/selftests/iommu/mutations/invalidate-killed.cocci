// file: drivers/iommu/gpasid_inv.c
// file: drivers/iommu/iommufd/gpasid.c
// breaks: a killed process does not go on with its invalidations
// run: gpasid_bind -t a_killed_process_does_not_go_on
// test: a_killed_process_does_not_go_on
@@
@@
-fatal_signal_pending(current)
+false
