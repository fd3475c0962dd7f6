// file: drivers/iommu/iommufd/fault.c
// Declarations for rules 69 to 69c.
@@
@@
 #include "iommufd_private.h"
+#include "gpasid.h"
