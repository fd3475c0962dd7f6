// file: drivers/iommu/iommufd/gpasid.c
// breaks: a device that shares its IOMMU group has no guest PASIDs, by either ABI
// run: gpasid_group
// lab: --unit seg=1,scope=1 --unit seg=1 --ep unit=0 --ep unit=0 --ep unit=0,port=1 --ep unit=0,port=1 --append pci=config_acs=x01xx@0001:01:00.0;x10xx@0001:01:00.1
// kernel: debug
@@
expression E;
@@
 iommufd_gpasid_is_alone(...)
 {
	...
-	return E;
+	return E || true;
 }
