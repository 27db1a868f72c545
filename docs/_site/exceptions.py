"""The tree of exceptions, read from the code, as a directive of the site."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOTS = ("inference", "analytics", "plaquelab")
PAGELESS = ("migrations", "settings", "asgi", "__main__")
"""Modules that are not imported for this: they run something, or configure a world."""


def exceptions(root: str) -> set[type[Exception]]:
    """Return every exception class that a package defines."""
    found: set[type[Exception]] = set()
    package = importlib.import_module(root)
    for info in pkgutil.walk_packages(package.__path__, f"{root}."):
        if set(info.name.split(".")) & set(PAGELESS):
            continue
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == info.name:
                found.add(value)
    return found


def lines(
    classes: set[type[Exception]], parent: type[BaseException] | None = None, depth: int = 0
) -> Iterator[str]:
    """Yield the tree, one class a line, with what its docstring's first line says."""
    for cls in sorted(classes, key=lambda c: (c.__module__, c.__name__)):
        ours = [base for base in cls.__mro__[1:] if base in classes]
        if (ours[0] if ours else None) is not parent:
            continue
        summary = (inspect.getdoc(cls) or "").split("\n")[0]
        name = "    " * depth + cls.__name__
        yield f"{name:44} {cls.__module__:44} {summary}".rstrip()
        yield from lines(classes, cls, depth + 1)


class ExceptionTree(SphinxDirective):
    """``.. exception-tree::`` prints the tree of one package as it is in the code."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the tree as a literal block."""
        text = "\n".join(lines(exceptions(self.arguments[0])))
        return [nodes.literal_block(text, text, language="text")]
