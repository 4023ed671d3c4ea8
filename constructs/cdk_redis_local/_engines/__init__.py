"""Real engines: one process for each node, clusters of them, certificates."""
