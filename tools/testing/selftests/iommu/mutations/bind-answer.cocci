// file: drivers/vfio/gpasid.c
// breaks: a bind or a replace that cannot answer changes nothing
// run: gpasid_replace -t a_replace_or_a_bind_that_cannot_answer_changes_nothing
@@
identifier cmd, ubind;
@@
 vfio_gpasid_ioctl_bind(...)
 {
	...
-	if (put_user(cmd.hpasid, &ubind->hpasid))
-		return -EFAULT;
	...
 }
