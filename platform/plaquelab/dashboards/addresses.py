"""What a page shows lives in its address: the freeze, the question's parameters, and the selection of cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

LONGEST = 400
"""A selection is a handful of short texts."""


@dataclass(frozen=True)
class Address:
    """A page's state.

    freeze : number of the freeze.
    parameters : the question's parameters as texts, defaults left out.
    selection : what stands behind the point, cell, step or bar that was clicked; empty for everything.
    """

    freeze: int
    parameters: Mapping[str, str]
    selection: Mapping[str, str]

    def query(self) -> str:
        """The address's query."""
        found = {"freeze": str(self.freeze), **self.parameters}
        if self.selection:
            found["selection"] = urlencode(dict(self.selection))
        return urlencode(found)

    def selecting(self, link: str) -> str:
        """The query with another selection, given as a figure or grid links to it (``?key=value&…``)."""
        return replace(self, selection=read_selection(link.removeprefix("?"))).query()

    def with_parameter(self, name: str, value: str) -> str:
        """The query with one parameter changed and nothing selected."""
        return replace(self, parameters={**self.parameters, name: value}, selection={}).query()

    @property
    def without_selection(self) -> str:
        """The query of the page with all its cases."""
        return replace(self, selection={}).query()


def read_selection(text: str) -> dict[str, str]:
    """A selection's parts; what is longer than any selection is none."""
    if len(text) > LONGEST:
        return {}
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20))
