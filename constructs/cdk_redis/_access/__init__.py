"""Users of stores: access strings, authentication, secrets and lists of users."""
