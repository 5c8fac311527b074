"""Learning: networks, augmentation, one fit loop, metrics, export. Needs `pip install 'emotrace[train]'`."""
