// file: drivers/iommu/iommufd/pages.c
// file: drivers/iommu/iommufd/io_pagetable.c
// Declarations for rules 61 and 64 and for the appended functions.
@@
@@
 #include "io_pagetable.h"
+#include "gpasid.h"
