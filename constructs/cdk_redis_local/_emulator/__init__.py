"""The AWS emulator (ministack), and the handlers that give it stores with real engines."""
