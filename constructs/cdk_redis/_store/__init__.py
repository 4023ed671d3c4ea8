"""What the stores of all services share."""
