"""``draw(result)``: the figure of a result, chosen by its type.

Figures know results, results know no figure. A module of this package registers its builder with ``@draw.register``;
:mod:`analytics.figures` imports them all, so that from there every type is known.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from analytics.figures.drawing import Drawing


@singledispatch
def draw(result: Any, **options: Any) -> Drawing:
    """The figure of a result; ``options`` are those of the builder of its type (``links``, ``labels``, …).

    Raises
    ------
    TypeError
        For a type that has no figure.
    """
    given = f" (asked for with {', '.join(options)})" if options else ""
    raise TypeError(f"There is no figure of a {type(result).__name__}{given}.")
