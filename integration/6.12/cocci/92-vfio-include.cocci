// file: drivers/vfio/iommufd.c
// Declarations for rule 91.
@@
@@
 #include "vfio.h"
+#include "gpasid.h"
