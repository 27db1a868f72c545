"""The parts of an answer, one by one: finished parts are remembered, and progress is told.

A queued task gives a ``memory`` that it keeps; when it is killed and run again, finished parts are not computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")
Progress = Callable[[int, int, str], None]


class Steps:
    """Runs named parts.

    Parameters
    ----------
    total : how many parts there will be
    progress : called after each part with how many are done, how many there are, and the part's name
    memory : part's name → its result (a frozen result object, which can be pickled)
    """

    def __init__(
        self,
        total: int = 1,
        *,
        progress: Progress | None = None,
        memory: MutableMapping[str, Any] | None = None,
    ) -> None:
        self.total, self.done = total, 0
        self._progress, self._memory = progress, memory

    def run(self, name: str, part: Callable[[], T]) -> T:
        """Return the remembered result of a part, or compute it."""
        if self._memory is not None and name in self._memory:
            found: T = self._memory[name]
        else:
            found = part()
            if self._memory is not None:
                self._memory[name] = found
        self.done += 1
        if self._progress is not None:
            self._progress(self.done, max(self.total, self.done), name)
        return found
