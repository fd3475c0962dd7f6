// file: drivers/iommu/intel/gpasid_queue.c
// breaks: nothing is sent to a device inside a reset
// run: gpasid_reset -t nothing_is_sent_to_a_device_inside_a_reset
// test: nothing_is_sent_to_a_device_inside_a_reset
// timeout: 60
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
