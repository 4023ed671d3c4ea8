"""How the constructs are composed into the stacks of this repository's app. Not part of the library."""

from ._elasticache import ElastiCacheStack as ElastiCacheStack
from ._memorydb import MemoryDbStack as MemoryDbStack
from ._network import NetworkStack as NetworkStack
from ._settings import Settings as Settings
from ._settings import SettingsError as SettingsError
from ._smoke_tests import SmokeTestStack as SmokeTestStack
