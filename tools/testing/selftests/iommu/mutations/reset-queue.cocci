// file: drivers/iommu/intel/gpasid_queue.c
// breaks: nothing is sent to a device inside a reset
// run: gpasid_reset
@@
identifier port;
@@
 intel_gpasid_desc_wanted(...)
 {
	<...
-	!port || port->state == PORT_HELD
+	!port
	...>
 }
