// file: drivers/iommu/gpasid_bind.c
// breaks: a bind that a subscriber may still veto is nobody's to share
// run: kunit gpasid_kunit
// test: setup_is_nobodys_to_share
@@
@@
 gpasid_bind_again(...)
 {
	<...
-	b->att->own || b->set != data->set || b->state != GPASID_BOUND
+	b->att->own || b->set != data->set
	...>
 }
