// file: drivers/iommu/gpasid_unbind.c
// breaks: an owner's bindings are looked for with reschedules
// run: kunit gpasid_kunit *.an_owner_is_looked_for_with_reschedules
@@
@@
 gpasid_owned_next(...)
 {
	<...
-	cond_resched_rcu();
	...>
 }
