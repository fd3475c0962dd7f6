// file: drivers/iommu/iommufd/pasid.c
// breaks: a device whose PASIDs are not enabled is told to have none
// run: gpasid_group
// test: a_device_whose_pasids_are_not_enabled_is_told_to_have_none
// lab: --unit seg=1,scope=1 --unit seg=1 --ep unit=0 --ep unit=0 --ep unit=0,port=1 --ep unit=0,port=1 --append pci=config_acs=x01xx@0001:01:00.0;x10xx@0001:01:00.1
// kernel: debug
@@
@@
 iommufd_pasid_max(...)
 {
-	if (...)
-		return 0;
	...
 }
