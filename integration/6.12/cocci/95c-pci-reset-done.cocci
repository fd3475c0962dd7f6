// file: drivers/pci/pci.c
// The reset is over once ATS, PRI and PASID are as they were.
@@
identifier dev;
@@
 pci_dev_restore(struct pci_dev *dev)
 {
	...
	pci_restore_state(dev);
+	gpasid_reset_done(&dev->dev);
	...
 }
