"""Refusals of templates, in the words of CloudFormation and of the two services."""
