// file: drivers/iommu/gpasid_unbind.c
// breaks: page requests are drained when no cache lets new ones through
// run: gpasid_running -t an_unbind_ends_page_requests_that_nobody_answers
// run: gpasid_running -t no_page_request_is_under_way_after_an_unbind
// lab: --adverse
@@
@@
 gpasid_quiesce(...)
 {
	<...
-	ops->flush(b->att, b);
	mutex_unlock(&parent->lock);
	gpasid_drain(b->att, b);
	mutex_lock(&parent->lock);
+	ops->flush(b->att, b);
	...>
 }
