// file: drivers/iommu/intel/cache.c
// Declarations for rules 10 and 11 and for the lines appended to this file.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
