"""The smoke test and the failover drill: checks, report, command line."""
