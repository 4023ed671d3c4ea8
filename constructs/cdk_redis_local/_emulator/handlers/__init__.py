"""What CloudFormation does here for each resource type: entries for the emulator's table of handlers."""
