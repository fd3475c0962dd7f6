// file: drivers/iommu/io-pgfault.c
// Declarations for rule 41 and the lines appended to this file.
@@
@@
 #include "iommu-priv.h"
+#include "gpasid_priv.h"
