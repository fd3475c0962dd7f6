// file: drivers/pci/pci.c
// file: drivers/vfio/pci/vfio_pci_core.c
// Declarations for rules 95b to 96c.
@@
@@
 #include <linux/pci.h>
+#include <linux/gpasid-reset.h>
