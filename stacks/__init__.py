"""The stacks of this repository's app, made of the constructs. Not part of the library."""

from stacks._elasticache import ElastiCacheStack as ElastiCacheStack
from stacks._memorydb import MemoryDbStack as MemoryDbStack
from stacks._network import NetworkStack as NetworkStack
from stacks._settings import Settings as Settings
from stacks._settings import SettingsError as SettingsError
from stacks._smoke_tests import SmokeTestStack as SmokeTestStack
