"""MemoryDB: clusters, Multi-Region clusters, access control lists, and their parts."""
