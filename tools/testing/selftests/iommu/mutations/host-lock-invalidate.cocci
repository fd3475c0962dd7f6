// file: drivers/iommu/iommufd/gpasid.c
// breaks: no lock of the host is held over an array of invalidations
// run: gpasid_isolation 20000 8 1
// test: while A invalidates thousands of ranges in two threads, an invalidation of C does not wait for it
// lab: --cpus 2 --ep unit=0,ats_global=0 --ep unit=0,ats_global=0
@@
@@
+DEFINE_MUTEX(gpasid_host_lock);
+
 int iommufd_gpasid_invalidate(...)
 {
	...
+	mutex_lock(&gpasid_host_lock);
	while (nr && !rc) { ... }
+	mutex_unlock(&gpasid_host_lock);
	...
 }
