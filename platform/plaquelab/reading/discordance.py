"""Whether two signed reads differ so much that a third person decides: the charter's rule, on stored rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from inference.rounding import printed, written
from inference.vocabulary import METRICS
from plaquelab.analysis.models import Measurement
from plaquelab.reading.charter import DiscordanceRule, read_design
from plaquelab.reading.models import Discordance, Read, ReadCase
from plaquelab.reading.revisions import latest_revision
from plaquelab.reading.signals import case_final
from plaquelab.reading.transitions import CASE, R

if TYPE_CHECKING:
    from plaquelab.accounts.models import User

# The stenosis (%) from which a CAD-RADS category speaks. 4B is graded for the left main or three vessels.
_FROM_PERCENT = {"0": 0.0, "1": 1.0, "2": 25.0, "3": 50.0, "4": 70.0, "4A": 70.0, "4B": 70.0, "5": 100.0}
NON_DIAGNOSTIC = "N"


@dataclass(frozen=True)
class Item:
    """One thing in which two reads differ. ``a`` and ``b`` are the values of slot 0 and slot 1.

    Parameters
    ----------
    rule : ``total_plaque_volume``, ``cadrads`` or ``plaque_stage``.
    level, territory : ``patient`` and "", or ``territory`` and its name.
    limit : the limit that lies between the two, where there is one.
    """

    rule: str
    level: str
    territory: str
    a: float | str
    b: float | str
    limit: float | None = None


@dataclass(frozen=True)
class ReadSummary:
    """What the rule looks at in one read."""

    total_plaque_volume: float
    cadrads: dict[str, str]
    plaque_stage: str


def summarise(rows: Sequence[Measurement]) -> ReadSummary:
    """Pick from a revision's rows what the rule needs; a territory without rows has no lesion."""
    volume, stage = 0.0, "0"
    grades: dict[str, str] = {}
    for row in rows:
        if row.metric == "cadrads" and row.level in ("patient", "territory"):
            grades[row.vessel if row.level == "territory" else ""] = _category(row)
        elif row.level == "patient" and row.metric == "total_plaque_volume" and row.value is not None:
            volume = row.value
        elif row.level == "patient" and row.metric == "plaque_stage":
            stage = _category(row)
    return ReadSummary(total_plaque_volume=volume, cadrads=grades, plaque_stage=stage)


def _category(row: Measurement) -> str:
    return row.text or ("0" if row.value is None else f"{row.value:g}")


def compare(a: ReadSummary, b: ReadSummary, rule: DiscordanceRule) -> list[Item]:
    """List in what two reads are discordant; an empty list means that they agree."""
    items = []
    difference = abs(a.total_plaque_volume - b.total_plaque_volume)
    mean = (a.total_plaque_volume + b.total_plaque_volume) / 2
    if difference > rule.volume_mm3 and difference > rule.volume_percent / 100 * mean:
        items.append(Item("total_plaque_volume", "patient", "", a.total_plaque_volume, b.total_plaque_volume))
    for territory in sorted({*a.cadrads, *b.cadrads}):
        left, right = a.cadrads.get(territory, "0"), b.cadrads.get(territory, "0")
        level = "territory" if territory else "patient"
        if (left == NON_DIAGNOSTIC) != (right == NON_DIAGNOSTIC):
            items.append(Item("cadrads", level, territory, left, right))
            continue
        if left == NON_DIAGNOSTIC:
            continue
        for limit in rule.cadrads_limits:
            if (_FROM_PERCENT[left] >= limit) != (_FROM_PERCENT[right] >= limit):
                items.append(Item("cadrads", level, territory, left, right, limit))
                break
    if rule.plaque_stage and a.plaque_stage != b.plaque_stage:
        items.append(Item("plaque_stage", "patient", "", a.plaque_stage, b.plaque_stage))
    return items


def describe(item: dict[str, Any], *, swapped: bool) -> dict[str, Any]:
    """Return a stored item as the adjudicator sees it: sides A and B, and a sentence.

    Parameters
    ----------
    swapped : whether slot 1 is shown as A.
    """
    a, b = (item["b"], item["a"]) if swapped else (item["a"], item["b"])
    place = item["territory"] or "patient"
    if item["rule"] == "total_plaque_volume":
        mean = (a + b) / 2
        volume = METRICS["total_plaque_volume"]
        left, right, difference = (f"{written(volume, x)} {volume.printed_unit}" for x in (a, b, abs(a - b)))
        text = (
            f"{volume.label}: A {left}, B {right} "
            f"(difference {difference}, {printed(100 * abs(a - b) / mean, 0)} % of the mean)"
        )
    elif item["rule"] == "cadrads":
        text = f"CAD-RADS ({place}): A {a}, B {b}"
        if item["limit"] is not None:
            text += f", on different sides of {item['limit']:g} % stenosis"
    else:
        text = f"Plaque stage: A {a}, B {b}"
    return {
        "rule": item["rule"],
        "level": item["level"],
        "territory": item["territory"],
        "a": a,
        "b": b,
        "text": text,
    }


@transaction.atomic
def judge(*, case: ReadCase) -> Discordance | None:
    """Judge a case once every read of it is signed; before that do nothing.

    Concordant: the final read is that of reader 1, as drawn at assignment. Discordant: it waits for an
    adjudicator. The comparison is stored either way.
    """
    if case.state != ReadCase.State.READING:
        return None  # a reader's hidden second reading judges nothing
    first = Read.objects.filter(case=case, assignment__round=1)
    reads = list(first.select_related("assignment").order_by("assignment__slot"))
    if not reads or any(read.state != R.SIGNED for read in reads):
        return None
    items: list[Item] = []
    if len(reads) == 2:
        summaries = []
        for read in reads:
            revision = latest_revision(read)
            if revision is None:
                raise ValueError(f"Read {read.pk} is signed but has no revision.")
            summaries.append(
                summarise(list(revision.measurements.filter(level__in=("patient", "territory"))))
            )
        items = compare(summaries[0], summaries[1], read_design(case.charter).discordance)
    found = Discordance.objects.create(
        case=case, items=[asdict(item) for item in items], is_discordant=bool(items)
    )
    if items:
        CASE.apply(case, "disagree", by=None, detail={"rules": sorted({item.rule for item in items})})
        return found
    CASE.apply(case, "agree", by=None)
    finalise(case=case, read=reads[case.first_reader_draw], event="finalise")
    return found


def finalise(*, case: ReadCase, read: Read, event: str, by: User | None = None, reason: str = "") -> None:
    """Make a read the case's final one; call it inside a transaction."""
    CASE.apply(case, event, by=by, reason=reason, detail={"final_read": read.pk})
    ReadCase.objects.filter(pk=case.pk).update(final_read=read)
    case.final_read = read
    case_final.send(sender=ReadCase, case=case)
