// file: drivers/iommu/intel/prq.c
// Declarations for what is added to this file.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
