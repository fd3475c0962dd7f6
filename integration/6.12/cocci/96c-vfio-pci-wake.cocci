// file: drivers/vfio/pci/vfio_pci_core.c
// The reset of rule 96b has ended when the state of the device is restored.
@@
identifier vdev, state, pdev;
@@
 vfio_pci_set_power_state(struct vfio_pci_core_device *vdev, pci_power_t state)
 {
	<...
	pci_restore_state(pdev);
+	gpasid_reset_powered(pdev);
	...>
 }
