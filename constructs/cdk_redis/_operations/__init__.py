"""Running stores in production: what a change of a template replaces."""
