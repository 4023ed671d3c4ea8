"""Handlers of CloudFormation resource types and API actions that the emulator lacks, or that need real engines."""
