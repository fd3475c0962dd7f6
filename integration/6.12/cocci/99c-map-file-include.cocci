// file: drivers/iommu/iommufd/pages.c
// file: drivers/iommu/iommufd/io_pagetable.c
// Declarations for rules 96 and 99 and for what is appended.
@@
@@
 #include "io_pagetable.h"
+#include "gpasid.h"
