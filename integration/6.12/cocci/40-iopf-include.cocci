// file: drivers/iommu/io-pgfault.c
// Declarations for rules 41, 48, 98 and 98b.
@@
@@
 #include "iommu-priv.h"
+#include "gpasid_priv.h"
+#include <linux/gpasid-reset.h>
