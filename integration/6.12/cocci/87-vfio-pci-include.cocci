// file: drivers/vfio/pci/vfio_pci.c
// Declarations for rule 88.
@@
@@
 #include <linux/uaccess.h>
+#include <linux/vfio-gpasid.h>
