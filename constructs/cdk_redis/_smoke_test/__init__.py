"""The smoke test, the canary, the failover drill, and the function that runs them."""
