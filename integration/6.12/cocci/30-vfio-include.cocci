// file: drivers/vfio/vfio_main.c
// file: drivers/vfio/device_cdev.c
// Declarations for rules 31 and 32.
@@
@@
 #include "vfio.h"
+#include "gpasid.h"
