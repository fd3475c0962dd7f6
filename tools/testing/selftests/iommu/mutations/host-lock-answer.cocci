// file: drivers/iommu/gpasid_fault.c
// breaks: no lock of the host is held while page requests are answered
// run: kunit gpasid_kunit gpasid.no_vm_waits_for_answers*
// test: no_vm_waits_for_answers_of_another
@@
@@
+DEFINE_MUTEX(gpasid_host_lock);
+
 static void gpasid_queue_put(...)
 { ... }

@@
expression E;
@@
-guard(mutex)(&E->answer)
+guard(mutex)(&gpasid_host_lock)
