// file: drivers/iommu/intel/dmar.c
// Declarations for rule 97b.
@@
@@
 #include "iommu.h"
+#include "gpasid.h"
