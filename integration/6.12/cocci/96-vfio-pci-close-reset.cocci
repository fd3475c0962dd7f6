// file: drivers/vfio/pci/vfio_pci_core.c
// The reset at the close of a device saves and restores its state without the
// functions of rules 95b and 95c.
@@
identifier vdev, pdev;
expression E1, E2;
@@
 vfio_pci_core_disable(struct vfio_pci_core_device *vdev)
 {
	...
+	gpasid_reset_prepare(&pdev->dev);
	pci_write_config_word(pdev, E1, E2);
	...
	pci_restore_state(pdev);
+	gpasid_reset_done(&pdev->dev);
	...
 }
