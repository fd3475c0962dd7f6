// file: drivers/pci/pci.c
// The reset has ended when ATS, PRI and PASID are restored.
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
