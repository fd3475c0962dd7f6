// file: drivers/iommu/io-pgfault.c
// Remove a group from the list of rule 49a, and do not respond to an ended
// one.
@@
identifier group, status, ops, dev, resp;
@@
 iopf_group_response(struct iopf_group *group, enum iommu_page_response_code status)
 {
	...
-	ops->page_response(dev, &group->last_fault, &resp);
+	if (iommu_gpasid_answer_group(group, status))
+		ops->page_response(dev, &group->last_fault, &resp);
	...
 }
