"""Programme packs: what differs between programmes, as data. ``sources.py`` reads declarations of extracts, ``policy.py`` rules."""
