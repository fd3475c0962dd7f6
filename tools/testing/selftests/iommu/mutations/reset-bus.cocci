// file: drivers/pci/pci.c
// breaks: a reset of a bus is one of each function on it
// run: gpasid_reset -f bus
// test: a_reset_of_the_bus_ends_the_requests_of_both
// test: nothing_is_sent_to_either_inside_a_reset_of_the_bus
// lab: --ep unit=0 --ep unit=0 --ep unit=0,port=1 --ep unit=0,port=1
@@
identifier dev;
@@
 pci_bus_save_and_disable_locked(...)
 {
	<...
-	pci_dev_save_and_disable(dev);
+	pci_save_state(dev);
+	pci_write_config_word(dev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	...>
 }

@@
identifier dev;
@@
 pci_bus_restore_locked(...)
 {
	<...
-	pci_dev_restore(dev);
+	pci_restore_state(dev);
	...>
 }
