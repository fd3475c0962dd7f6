// file: drivers/iommu/intel/prq.c
// Declarations for the calls added to this file.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
