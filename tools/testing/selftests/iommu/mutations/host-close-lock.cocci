// file: drivers/iommu/gpasid_unbind.c
// breaks: no lock of the host is held over a close
// run: kunit gpasid_kunit
// test: no_vm_waits_for_another
@@
@@
+DEFINE_MUTEX(gpasid_host_lock);
+
 static int gpasid_bulk_pass(...)
 { ... }

@@
expression E;
@@
-mutex_lock(&E->close_lock)
+mutex_lock(&gpasid_host_lock)

@@
expression E;
@@
-mutex_unlock(&E->close_lock)
+mutex_unlock(&gpasid_host_lock)
