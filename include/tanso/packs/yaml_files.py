"""YAML files of packs, read without trusting who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tanso.shown import escaped

# The one in C, many times faster, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 50  # lists and mappings within one another: the loader recurses, in C until the process dies


def load(content: bytes) -> dict[Any, Any]:
    """What the file says. Raises ValueError for what is no mapping of keys."""
    try:
        _refuse_depth(content)
        value = yaml.load(content, _LOADER)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise ValueError(f"is not YAML: {escaped(str(error))}") from None
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of keys")
    return value


def _refuse_depth(content: bytes) -> None:
    depth = 0
    for event in yaml.parse(content, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} lists and mappings within one another")


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """(key, text) of all texts in what a file says, keys included."""
    waiting, known = [("", value)], set()
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str) and value:
            yield key, value
        elif isinstance(value, dict | list) and id(value) not in known:  # anchors may make a few lines endless
            known.add(id(value))
            for name, part in value.items() if isinstance(value, dict) else enumerate(value):
                below = f"{key}.{escaped(str(name))}" if key else escaped(str(name))
                if isinstance(name, str) and name:
                    yield below, name
                waiting.append((below, part))
