// file: drivers/iommu/intel/gpasid_queue.c
// breaks: a device that never answers loses ATS
// run: gpasid_timeout
@@
identifier port;
@@
 intel_gpasid_port_silence(...)
 {
	...
-	intel_gpasid_ats_off(port->pdev);
	...
 }
