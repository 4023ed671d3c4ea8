"""The VPC that stores run in: subnets, zones, security groups."""
