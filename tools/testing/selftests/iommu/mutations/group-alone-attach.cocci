// file: drivers/iommu/iommufd/pasid.c
// breaks: no HWPT is attached to a PASID of a device that shares its IOMMU group
// run: gpasid_group
// test: a_pasid_of_a_device_that_is_not_alone_is_attached_to_no_hwpt
// lab: --unit seg=1,scope=1 --unit seg=1 --ep unit=0 --ep unit=0 --ep unit=0,port=1 --ep unit=0,port=1 --append pci=config_acs=x01xx@0001:01:00.0;x10xx@0001:01:00.1
// kernel: debug
@@
expression E;
@@
 pasid_check(...)
 {
	<...
-	!E || !iommufd_gpasid_is_alone(...)
+	!E
	...>
 }
