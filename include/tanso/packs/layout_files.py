"""Which files of a pack say how its payout files look; ``payouts.files.layouts`` reads them."""

from __future__ import annotations

from pathlib import Path


def layout_files(pack: Path) -> dict[str, Path]:
    """What of a pack its payout files are made by: ``payouts.yml`` and what lies beside it, such as templates."""
    apart = {"policy", "sources", "sample", "README.md"}
    if not (pack / "payouts.yml").exists():
        return {}
    names = ((path.relative_to(pack), path) for path in sorted(pack.rglob("*")) if path.is_file())
    return {
        name.as_posix(): path
        for name, path in names
        if name.parts[0] not in apart and not any(part.startswith(".") for part in name.parts)
    }
