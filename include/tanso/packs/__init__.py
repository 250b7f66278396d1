"""Programme packs: what differs between programmes, as data.

``sources.py`` reads declarations of extracts, ``policy.py`` reads rules.
"""

from tanso.packs.policy import Policy, PolicyError, load_policy
from tanso.packs.sources import Source, SourceError, load_sources

__all__ = ["Policy", "PolicyError", "Source", "SourceError", "load_policy", "load_sources"]
