// file: drivers/iommu/gpasid_priv.h
// file: drivers/iommu/gpasid_device.c
// file: drivers/iommu/gpasid_table.c
// file: drivers/iommu/gpasid_inv.c
// file: drivers/iommu/gpasid_unbind.c
// file: drivers/iommu/gpasid_bind.c
// breaks: no lock of the host is held while a second-stage unmap is flushed
// run: gpasid_isolation 20000 8 0
// test: while A unmaps a page, the first bind on its device, and the unbind of C does not wait for it
// lab: --cpus 2 --ep unit=0,ats_global=0 --ep unit=0,ats_global=0
@@
@@
+extern struct mutex gpasid_host_lock;
+
 struct gpasid_sharer { ... };

@@
@@
+DEFINE_MUTEX(gpasid_host_lock);
+
 int gpasid_register_ops(...)
 { ... }

@@
expression E;
@@
-mutex_lock(&E->lock)
+mutex_lock(&gpasid_host_lock)

@@
expression E;
@@
-mutex_unlock(&E->lock)
+mutex_unlock(&gpasid_host_lock)

@@
expression E;
@@
-guard(mutex)(&E->lock)
+guard(mutex)(&gpasid_host_lock)

@@
iterator name scoped_guard;
expression E;
statement S;
@@
-scoped_guard(mutex, &E->lock)
+scoped_guard(mutex, &gpasid_host_lock)
 S
