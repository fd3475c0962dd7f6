// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a time-out counts once for a device, however many were aborted
// run: gpasid_timeout
@@
identifier port;
@@
 intel_gpasid_unnamed_timed_out(...)
 {
	<...
	intel_gpasid_port_timed_out(port);
+	intel_gpasid_port_timed_out(port);
+	intel_gpasid_port_timed_out(port);
	...>
 }
