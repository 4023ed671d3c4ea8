"""Code that runs next to a store: the smoke test, and how to connect."""
