// file: drivers/iommu/intel/iommu.c
// Declarations for the calls added to this file.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
