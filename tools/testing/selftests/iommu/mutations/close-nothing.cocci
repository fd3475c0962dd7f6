// file: drivers/iommu/gpasid_unbind.c
// breaks: a close flushes nothing for an owner that has nothing bound
// run: kunit gpasid_kunit
// test: close_without_bindings_flushes_nothing
@@
@@
 gpasid_bulk_clear(...)
 {
	<...
-	if (!b->bulk)
-		continue;
-	b->att->gdev->ops->clear(b);
-	WRITE_ONCE(b->state, GPASID_CLEARED);
+	if (b->bulk) {
+		b->att->gdev->ops->clear(b);
+		WRITE_ONCE(b->state, GPASID_CLEARED);
+	}
	...>
 }

@@
@@
 gpasid_unbind_many(...)
 {
	<...
-	gpasid_bulk_any(&bulk)
+	true
	...>
 }
