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
-guard(mutex)(&E->close_lock)
+guard(mutex)(&gpasid_host_lock)
