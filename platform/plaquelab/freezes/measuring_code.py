"""Which measuring code made the numbers of a freeze."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from inference.code_version import version_of
from plaquelab.analysis import measuring_code
from plaquelab.analysis.measuring_code import made_earlier
from plaquelab.analysis.models import AnalysisRun
from plaquelab.freezes.measured import OWNERS_A_QUERY, Owner
from plaquelab.freezes.models import DatasetFreeze
from plaquelab.reading.models import ReadRevision

KINDS = {"run": AnalysisRun, "revision": ReadRevision}
"""What is measured here; imported reads were measured elsewhere."""


def measured_by(owners: Iterable[Owner]) -> dict[str, int]:
    """Return version of the measuring code → how many runs and revisions it measured; "" is before versions were kept."""
    found: Counter[str] = Counter()
    keys = sorted(set(owners))
    for kind, model in KINDS.items():
        mine = [pk for name, pk in keys if name == kind]
        for start in range(0, len(mine), OWNERS_A_QUERY):
            rows = model._default_manager.filter(pk__in=mine[start : start + OWNERS_A_QUERY])
            found.update(rows.values_list("code_version", flat=True))
    return dict(sorted(found.items()))


@lru_cache(maxsize=1)
def code_of_tables() -> str:
    """Return the version of the code that gathers, matches, pairs and compares: all of this application's modules."""
    return version_of(Path(__file__).parent, modules=(".*",), without=("migrations.*",), data=())


def made_by() -> dict[str, str]:
    """Return part → version of the code by which a freeze that is made now has its own numbers.

    The measuring code counts the network's lesions as ultrasound does, and rolls up and grades outside reads.
    """
    return {
        "measuring code of this freeze": measuring_code.today(),
        "code of this freeze's tables": code_of_tables(),
    }


def software(versions: Mapping[str, int], own: Mapping[str, str]) -> dict[str, str]:
    """Return how a freeze's manifest names the code that measured what entered it, and the code of its own numbers."""
    measured = {
        f"measuring code {version or 'of before versions were kept'}": f"{count} runs and reads"
        for version, count in versions.items()
    }
    return {**measured, **own}


def earlier_words(freeze: DatasetFreeze) -> str:
    """Say how much of a freeze was measured by older code than today's; nothing where all is today's."""
    if not freeze.is_locked or freeze.source != DatasetFreeze.Source.STUDY:
        return ""
    if freeze.measured_by is None:
        return "Made before versions of the measuring code were kept."
    older = sum(count for version, count in freeze.measured_by.items() if made_earlier(version))
    if not older:
        return ""
    whole = sum(freeze.measured_by.values())
    return f"{older} of its {whole} measured runs and reads were measured by older code than today's."
