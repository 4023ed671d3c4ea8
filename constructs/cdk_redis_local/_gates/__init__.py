"""What stands in front of the nodes and of the AWS APIs: TLS, tokens, signatures."""
