// file: drivers/vfio/pci/vfio_pci_core.c
// A device that loses its state in D3hot is treated as inside a reset while in
// D3hot.
@@
identifier vdev, state, pdev;
@@
 vfio_pci_set_power_state(struct vfio_pci_core_device *vdev, pci_power_t state)
 {
	<...
-	pci_set_power_state(pdev, state)
+	gpasid_reset_set_power_state(pdev, state, vdev->needs_pm_restore)
	...>
 }
