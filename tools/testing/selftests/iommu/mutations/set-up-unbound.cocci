// file: drivers/iommu/gpasid_unbind.c
// breaks: a bind that a subscriber may still veto is nobody's to unbind
// run: kunit gpasid_kunit
// test: setup_is_not_unbound_or_replaced
@@
expression E;
@@
 gpasid_unbind(...)
 {
	<...
-	if (E || b->state != GPASID_BOUND || !gpasid_owned_by(b, owner))
+	if (E || !gpasid_owned_by(b, owner))
	{ ... }
	else if (...) { ... } else { ... }
	...>
 }
