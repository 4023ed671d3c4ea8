"""Errors, tokens, names, services and checks that do not depend on stores."""
