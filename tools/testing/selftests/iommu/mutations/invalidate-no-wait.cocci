// file: drivers/iommu/intel/gpasid.c
// breaks: the guest's invalidation waits until it is done
// run: gpasid_running -t the_guests_invalidation_ends_the_old_page
// test: the_guests_invalidation_ends_the_old_page
// lab: --adverse
@@
@@
 static atomic_t vtd_nr_per_pasid;
+
+struct vtd_later {
+	struct delayed_work work;
+	struct intel_iommu *iommu;
+	int n;
+	struct qi_desc desc[];
+};
+
+static void vtd_later_work(struct work_struct *work)
+{
+	struct vtd_later *later = (void *)work;
+
+	qi_submit_sync(later->iommu, later->desc, later->n, 0);
+	kfree(later);
+}
+
+static void vtd_submit_later(struct intel_iommu *iommu, struct qi_desc *desc, int n)
+{
+	struct vtd_later *later = kzalloc(struct_size(later, desc, n), GFP_KERNEL);
+
+	INIT_DELAYED_WORK(&later->work, vtd_later_work);
+	later->iommu = iommu;
+	memcpy(later->desc, desc, n * sizeof(*desc));
+	later->n = n;
+	schedule_delayed_work(&later->work, 2);
+}

@@
@@
 vtd_batch_submit(...)
 {
	<...
-	vtd_submit(unit->iommu, unit->desc, unit->nr);
+	vtd_submit_later(unit->iommu, unit->desc, unit->nr);
	...>
 }
