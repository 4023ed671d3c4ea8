"""An instance from which a person reaches stores, and the program on it."""
