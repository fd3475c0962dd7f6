// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a device that never answers loses ATS
// run: gpasid_timeout
@@
identifier port;
@@
 intel_gpasid_port_timed_out(...)
 {
	...
-	intel_gpasid_ats_off(port->pdev);
	...
 }
