// file: drivers/pci/pci.c
// Every reset of a function, a slot or a bus that keeps its devices begins
// here.  The reset ends the page requests of the devices, and no invalidation
// may be sent to their TLBs meanwhile.
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
