// file: drivers/iommu/intel/cache.c
// breaks: a second-stage unmap waits until its invalidations are done
// run: gpasid_running -t a_page_is_never_reached_after_its_unmap
// test: a_page_is_never_reached_after_its_unmap
// lab: --adverse
@@
identifier iommu, batch;
@@
 void qi_batch_flush_descs(struct intel_iommu *iommu, struct qi_batch *batch)
 {
	...
 }
+
+struct cache_later {
+	struct delayed_work work;
+	struct intel_iommu *iommu;
+	struct qi_batch batch;
+};
+
+static void cache_later_work(struct work_struct *work)
+{
+	struct cache_later *later = (void *)work;
+
+	qi_batch_flush_descs(later->iommu, &later->batch);
+	kfree(later);
+}
+
+static void cache_flush_later(struct intel_iommu *iommu, struct qi_batch *batch)
+{
+	struct cache_later *later;
+
+	if (!iommu || !batch->index)
+		return;
+	later = kzalloc(sizeof(*later), GFP_ATOMIC);
+	INIT_DELAYED_WORK(&later->work, cache_later_work);
+	later->iommu = iommu;
+	later->batch = *batch;
+	memset(batch, 0, sizeof(*batch));
+	schedule_delayed_work(&later->work, 2);
+}

@@
expression E1, E2;
@@
 cache_tag_flush_range(...)
 {
	<...
-	qi_batch_flush_descs(E1, E2);
+	cache_flush_later(E1, E2);
	...>
 }
