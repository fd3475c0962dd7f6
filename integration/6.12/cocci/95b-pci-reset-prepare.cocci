// file: drivers/pci/pci.c
// Every reset of a function, a slot or a bus that keeps its devices begins here:
// what they have asked for is over, and their TLBs are not to be disturbed.
@@
identifier dev;
@@
 pci_dev_save_and_disable(struct pci_dev *dev)
 {
	...
+	gpasid_reset_prepare(&dev->dev);
	pci_set_power_state(dev, PCI_D0);
	...
 }
