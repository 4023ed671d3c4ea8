"""Value classes that validate their fields: engine, node type, endpoint, windows, snapshots, network type."""
