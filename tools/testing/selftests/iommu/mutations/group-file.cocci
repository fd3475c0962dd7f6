// file: drivers/vfio/gpasid.c
// breaks: a file that was opened by its VFIO group takes no ioctl of ours
// run: gpasid_vdcm -t a_file_opened_by_its_group_takes_no_ioctl_of_ours
// kernel: debug
@@
@@
 vfio_df_ioctl_gpasid(...)
 {
	...
-	if (df->group)
-		return -ENOTTY;
	...
 }
