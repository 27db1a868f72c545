"""The pages of the reference: one page a wing of a library, one section a module, in the order of the names."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

LIBRARIES = ("inference", "analytics")
LEFT_OUT = {"__main__"}
"""Modules that are not written about here: the command lines explain themselves with ``--help``."""


def modules(library: str) -> list[str]:
    """Return the names of all modules of a library, packages first, in order."""
    package = importlib.import_module(library)
    found = [library] + [m.name for m in pkgutil.walk_packages(package.__path__, f"{library}.")]
    return sorted(name for name in found if not LEFT_OUT & set(name.split(".")))


def wings(library: str) -> dict[str, list[str]]:
    """Return the modules by wing: the library's own rooms, then each package below it."""
    by_wing: dict[str, list[str]] = {library: []}
    for name in modules(library):
        parts = name.split(".")
        package = ".".join(parts[:2])
        is_wing = len(parts) > 2 or hasattr(importlib.import_module(name), "__path__")
        by_wing.setdefault(package if is_wing and len(parts) > 1 else library, []).append(name)
    return by_wing


def page(title: str, names: list[str]) -> str:
    """Return one page in reStructuredText."""
    lines = [title, "=" * len(title), ""]
    for name in names:
        lines += [
            name,
            "-" * len(name),
            "",
            f".. automodule:: {name}",
            "   :members:",
            "   :ignore-module-all:",
            "",
        ]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write the reference's pages into ``folder``; a page that is as it was is left alone, so that builds stay quick."""
    folder.mkdir(exist_ok=True)
    written: dict[Path, str] = {}
    for library in LIBRARIES:
        contents = [f"{library} reference", "=" * (len(library) + 10), "", ".. toctree::", ""]
        for wing, names in wings(library).items():
            written[folder / f"{wing}.rst"] = page(wing, names)
            contents.append(f"   {wing}")
        written[folder / f"{library}-index.rst"] = "\n".join([*contents, ""])
    for path in set(folder.glob("*.rst")) - set(written):
        path.unlink()
    for path, text in written.items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
