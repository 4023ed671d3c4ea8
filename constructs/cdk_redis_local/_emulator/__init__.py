"""The AWS emulator, and what it is taught: stores with real engines."""
