"""Values that check themselves: engine, endpoint, windows, snapshots, network type."""
