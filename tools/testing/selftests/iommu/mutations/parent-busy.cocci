// file: drivers/vfio/gpasid.c
// breaks: a virtual device with bindings cannot be detached
// run: gpasid_vdcm
@@
@@
 vfio_df_gpasid_busy(...)
 {
	...
-	return vfio_gpasid_emulated(df->device) && gpasid_owner_busy(df->device);
+	return false;
 }
