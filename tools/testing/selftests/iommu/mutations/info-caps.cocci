// file: drivers/vfio/gpasid.c
// breaks: what a driver leaves out of INFO is told as 0, not as what the stack held
// run: kunit gpasid_vfio_kunit
// kernel: debug
@@
@@
 vfio_gpasid_ioctl_info(...)
 {
	...
-	struct gpasid_caps caps = {};
+	struct gpasid_caps caps;
	...
 }
