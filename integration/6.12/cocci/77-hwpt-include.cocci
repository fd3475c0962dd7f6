// file: drivers/iommu/iommufd/hw_pagetable.c
// Declarations for rules 78 to 81.
@@
@@
 #include "iommufd_private.h"
+#include "gpasid.h"
