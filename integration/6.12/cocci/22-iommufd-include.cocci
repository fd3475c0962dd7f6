// file: drivers/iommu/iommufd/main.c
// file: drivers/iommu/iommufd/device.c
// Declarations for rules 21 to 25.
@@
@@
 #include "iommufd_private.h"
+#include "gpasid.h"
