"""A folder of its own for what the emulator writes when a test imports its modules."""

from __future__ import annotations

import os
import tempfile

# Its default, /tmp/ministack-state, is shared by all users of the machine, and keeps a private key after the test.
_state = tempfile.TemporaryDirectory()
os.environ["STATE_DIR"] = _state.name
