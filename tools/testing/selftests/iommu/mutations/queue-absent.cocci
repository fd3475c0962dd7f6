// file: drivers/iommu/intel/gpasid_queue.c
// breaks: nothing is sent to a device that is not present
// run: gpasid_timeout
@@
identifier port;
@@
 intel_gpasid_desc_wanted(...)
 {
	<...
-	port->absent = !pci_device_is_present(port->pdev);
+	;
	...>
 }
