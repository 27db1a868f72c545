"""What a freeze says about itself: the manifest, and the hashes that bind it to its files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.errors import AnalyticsError

FORMAT_VERSION = 1  # the first
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z?)?")


@dataclass(frozen=True)
class About:
    """Where a freeze comes from.

    Attributes
    ----------
    study : name of the study
    made : ISO date, with the time in UTC where it matters
    simulated : whether any of its data is simulated; every table, figure and page then says so
    note : one sentence for the reader, e.g. which seed a simulation had
    endpoint : the event of the outcome table that is analysed first
    competing : events that end the risk of the endpoint
    profile : composition profile of the measurements
    charter : the study's protocol version and the settings that decide what a number means
    roll_up : how vessels were rolled up to territories
    software : name → version of what made the numbers (platform, network weights' hash, …)
    seed : of random draws made on the way to the freeze, and the seed of its bootstraps
    """

    study: str
    made: str
    simulated: bool
    note: str = ""
    endpoint: str = "myocardial_infarction"
    competing: tuple[str, ...] = ("death",)
    profile: str = ""
    charter: Mapping[str, Any] = field(default_factory=dict)
    roll_up: Mapping[str, Any] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    seed: int = 20_220_401

    def __post_init__(self) -> None:
        if not self.study.strip():
            raise AnalyticsError("A freeze needs the name of its study.")
        if not _DATE.fullmatch(self.made):
            raise AnalyticsError(
                f"The date {self.made[:40]!r} is not ISO: write 2026-01-31 or 2026-01-31T12:00:00Z."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> About:
        """Read the JSON form. Raises AnalyticsError for fields that are missing or unknown."""
        names = set(cls.__dataclass_fields__)
        if unknown := sorted(set(content) - names):
            raise AnalyticsError(
                f"The manifest's part “about” has fields that this version does not know: {unknown}."
            )
        try:
            return cls(**{**content, "competing": tuple(content.get("competing", ()))})
        except TypeError as error:
            raise AnalyticsError(f"The manifest's part “about” is not complete: {error}.") from None


def canonical(content: Any) -> bytes:
    """JSON with sorted keys: the same content gives the same bytes."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def whole_hash(manifest: Mapping[str, Any]) -> str:
    """The freeze's hash: SHA-256 of the manifest without its field ``hash``, which names every file's SHA-256."""
    return sha256(canonical({name: value for name, value in manifest.items() if name != "hash"}))
