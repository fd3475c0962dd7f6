// file: drivers/iommu/intel/dmar.c
// Declarations for rules 97b to 97e.
@@
@@
 #include "iommu.h"
+#include "gpasid.h"
