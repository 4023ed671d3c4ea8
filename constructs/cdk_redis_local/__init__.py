"""A local AWS for real deploys: real engines over TLS, no account."""
