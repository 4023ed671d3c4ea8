"""Real engines: one process per node, clusters, ACL users and certificates."""
