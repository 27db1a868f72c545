"""Rows of a survival model: what is missing is dropped and counted by column, labels become codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.columns import codes, is_missing
from analytics.errors import AnalyticsError
from analytics.result import Dropped
from analytics.survival.follow_up import check

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """Complete rows.

    time, entry : (n,); ``entry`` is None without delayed entry
    event : (n,) 0 censored, 1 … causes
    x : (n, p) covariates as given (not centred)
    stratum, cluster : (n,) codes from 0, or None
    """

    names: tuple[str, ...]
    time: Array
    event: Array
    x: Array
    entry: Array | None
    stratum: Codes | None
    strata: int | None
    cluster: Codes | None
    clusters: int | None
    dropped: tuple[Dropped, ...]

    @property
    def centred(self) -> Array:
        """Covariates minus their means."""
        result: Array = self.x - self.x.mean(axis=0)
        return result

    def refusal(self) -> str | None:
        """Why no model can be fitted to these rows, or None."""
        if not self.names:
            return "no covariates"
        if not np.any(self.event == 1):
            return "no events"
        constant = [name for j, name in enumerate(self.names) if np.ptp(self.x[:, j]) == 0]
        return f"{', '.join(constant)} has one value only" if constant else None


def design(
    time: Array,
    event: Array,
    covariates: Mapping[str, Array],
    *,
    entry: Array | None = None,
    strata: Sequence[Any] | None = None,
    clusters: Sequence[Any] | None = None,
    causes: int = 1,
) -> Design:
    """Keep complete rows.

    Raises
    ------
    AnalyticsError
        For negative times, unknown events, columns of different length, or an entry that is not before the time.
    """
    time, event = check(time, event, causes=causes)
    n = len(time)
    columns = {name: np.asarray(values, np.float64) for name, values in covariates.items()}
    for name, values in [*columns.items(), ("entry", entry), ("strata", strata), ("clusters", clusters)]:
        if values is not None and len(values) != n:
            raise AnalyticsError(f"{name} has {len(values)} rows, the times have {n}.")
    late = None if entry is None else np.asarray(entry, np.float64)
    missing = {"time or event": np.isnan(time) | np.isnan(event)}
    missing |= {name: np.isnan(values) for name, values in columns.items()}
    if late is not None:
        missing["entry"] = np.isnan(late)
    for name, labels in (("stratum", strata), ("cluster", clusters)):
        if labels is not None:
            missing[name] = np.array([is_missing(label) for label in labels], bool)
    keep, dropped = np.ones(n, bool), []
    for name, gone in missing.items():
        if np.any(keep & gone):
            dropped.append(Dropped(int((keep & gone).sum()), f"{name} is missing"))
            keep &= ~gone
    if late is not None and np.any(late[keep] >= time[keep]):
        row = int(np.flatnonzero(keep & (late >= time))[0]) + 1
        raise AnalyticsError(f"Row {row}: entry is not before the end of follow-up.")
    stratum, strata_number = _coded(strata, keep)
    cluster, cluster_number = _coded(clusters, keep)
    x = np.column_stack(list(columns.values())) if columns else np.empty((n, 0))
    return Design(
        tuple(columns),
        time[keep],
        event[keep],
        x[keep],
        None if late is None else late[keep],
        stratum,
        strata_number,
        cluster,
        cluster_number,
        tuple(dropped),
    )


def _coded(labels: Sequence[Any] | None, keep: NDArray[np.bool_]) -> tuple[Codes | None, int | None]:
    if labels is None:
        return None, None
    number, distinct = codes([label for label, k in zip(labels, keep, strict=True) if k])
    return number, len(distinct)
