// file: drivers/iommu/io-pgfault.c
// Declarations for rules 41 and 48.
@@
@@
 #include "iommu-priv.h"
+#include "gpasid_priv.h"
