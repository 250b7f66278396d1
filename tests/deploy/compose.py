"""docker-compose.yaml as Compose reads it: anchors merged, variables filled in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tanso.settings import PROJECT_ROOT

FILE = PROJECT_ROOT / "docker-compose.yaml"
EXAMPLE = PROJECT_ROOT / ".env.example"

# $$, ${NAME}, ${NAME:-default}, ${NAME:?message}; anything else after a dollar is refused.
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\})")


class Unset(ValueError):
    """A variable that must be set is not; says which, and the file's message."""


@dataclass(frozen=True)
class Service:
    """One service; ``command`` and ``health`` are argument lists, empty where there is none."""

    name: str
    environment: dict[str, str]
    command: list[str]
    health: list[str]
    rest: dict[str, Any]


def raw() -> dict[str, Any]:
    """The file with its anchors merged, variables as they are written."""
    return yaml.safe_load(FILE.read_text("utf-8"))


def services(
    variables: Mapping[str, str], rewrite: Callable[[str], str] = lambda text: text, profiles: tuple[str, ...] = ()
) -> dict[str, Service]:
    """The services of no profile or of one of ``profiles``; ``rewrite`` changes what is written before it is filled."""
    read = {}
    for name, written in raw()["services"].items():
        if "profiles" in written and not set(written["profiles"]) & set(profiles):
            continue
        filled = _filled(written, variables, rewrite)
        kind, *health = filled.get("healthcheck", {}).get("test", ["NONE"])
        if kind == "CMD-SHELL":
            health = ["sh", "-c", *health]
        command = filled.get("command", [])
        command = shlex.split(command) if isinstance(command, str) else command
        read[name] = Service(name, filled.get("environment", {}), command, health, filled)
    return read


def variables_of(node: Any) -> dict[str, str]:
    """Every variable that is written in ``node``, with the text after ``:-`` or ``:?`` ('' when it has none)."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        found: dict[str, str] = {}
        for part in node:
            for name, text in variables_of(part).items():
                found[name] = found.get(name) or text
        return found
    matches = VARIABLE.finditer(node) if isinstance(node, str) else ()
    return {match["name"]: match["text"] or "" for match in matches if match["name"]}


def _filled(node: Any, variables: Mapping[str, str], rewrite: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables, rewrite) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables, rewrite) for value in node]
    return fill(rewrite(node), variables) if isinstance(node, str) else node


def fill(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with its variables; Unset when one that must be there is not, or is empty."""

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if given := variables.get(match["name"]):
            return given
        if match["kind"] == "?":
            raise Unset(f"{match['name']}: {match['text']}")
        return match["text"] or ""

    return VARIABLE.sub(value, text)


def example_names(path: Path = EXAMPLE) -> set[str]:
    """The variables that .env.example explains, also those in its comments."""
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", path.read_text("utf-8"), re.MULTILINE))
