"""What knows no store: errors, tokens, names, services, checks."""
