"""The smoke test and the failover drill: checks and report."""
