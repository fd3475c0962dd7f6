// file: drivers/iommu/intel/iommu.c
// Declarations for what is added to this file.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
