// file: drivers/iommu/intel/gpasid_queue.c
// breaks: nothing is sent to a device that is found to be absent
// run: gpasid_timeout
@@
identifier port;
@@
 intel_gpasid_port_absent(...)
 {
	<...
-	port->absent = !pci_device_is_present(port->pdev);
+	;
	...>
 }
