"""Running stores in production: the replacement guard, the dashboard, and the code for a store that exists."""
