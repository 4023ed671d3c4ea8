"""Who may sign in to a store, and what they may do there."""
