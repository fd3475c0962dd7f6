// file: drivers/iommu/intel/gpasid.c
// breaks: replace waits until its invalidations are done
// run: gpasid_running -t a_replace_has_no_window
// test: a_replace_has_no_window
// lab: --adverse
@@
@@
 static atomic_t vtd_nr_per_pasid;
+
+struct vtd_later {
+	struct delayed_work work;
+	struct intel_iommu *iommu;
+	struct qi_desc desc[4];
+	int n;
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
+	struct vtd_later *later = kzalloc(sizeof(*later), GFP_KERNEL);
+
+	INIT_DELAYED_WORK(&later->work, vtd_later_work);
+	later->iommu = iommu;
+	memcpy(later->desc, desc, n * sizeof(*desc));
+	later->n = n;
+	schedule_delayed_work(&later->work, 2);
+}

@@
@@
 vtd_flush_table(...)
 {
	<...
-	vtd_submit(info->iommu, desc, n);
+	vtd_submit_later(info->iommu, desc, n);
	...>
 }
