// file: drivers/iommu/intel/nested.c
// Declarations for rule 94.
@@
@@
 #include "pasid.h"
+#include "gpasid.h"
