"""Which reads are compared with which, and what does not enter, with the reason.

* ``network_expert``: the final read if its reader worked without sight of the network, else the first imported expert
  read. ``given``: the network measured inside its lesions (the run that was asked for when the read was there);
  ``own``: the network's own lesions, matched by overlap.
* ``assisted``: final reads made with sight of the network, never pooled with the others.
* ``expert_expert``: the two readers' signed reads, both without sight of the network; or two imported readers.
* ``repeat``: a reader's hidden second reading beside the first, or an imported reader's two readings; without sight of
  the network.
* ``network_ivus``: imported ultrasound within 30 days of the CT; the network counts everything between lumen and
  wall there. ``own`` looks only along the stretch that was imaged.
* ``network_ica``: per territory and patient, the worst of the segments that were graded.
* ``centreline``: the network along two operators' centrelines, both by the same measuring code, network and profile; lesions
  matched in the patient's own space.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inference.vocabulary import TERRITORIES
from plaquelab.freezes.centreline_places import place_between
from plaquelab.freezes.gathering import Case, SourceRead, network_read
from plaquelab.freezes.measured import Owner, Values, graded_by_segment, lesions_alone, restricted, rolled_up
from plaquelab.freezes.pairing import Comparison
from plaquelab.freezes.recounting import wall_minus_lumen

MOST_DAYS_TO_IVUS = 30.0


@dataclass(frozen=True)
class Plan:
    """One comparison before its numbers are read.

    prepare : turns both reads' values into what is compared.
    levels : at which levels.
    centrelines : the two runs, where they lie on different centrelines.
    as_ultrasound : whether the second read's own lesions are counted as ultrasound counts.
    """

    pair: str
    extents: str
    first: SourceRead
    second: SourceRead
    prepare: Callable[[Values, Values], tuple[Values, Values]]
    levels: tuple[str, ...] = ("lesion", "vessel", "territory", "patient")
    centrelines: tuple[int, int] | None = None
    as_ultrasound: bool = False

    @property
    def owners(self) -> tuple[Owner, Owner]:
        """Whose measurements it needs."""
        return self.first.owner, self.second.owner


def as_they_are(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare what both reads measured."""
    return first, second


def imported_with_roll_up(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare an imported expert read, whose territories and patient follow from its lesions, with the network."""
    return rolled_up(first, territories=TERRITORIES), second


def both_rolled_up(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare two imported expert reads."""
    return rolled_up(first, territories=TERRITORIES), rolled_up(second, territories=TERRITORIES)


def inside_the_same_lesions(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare ultrasound with the network inside its lesions: both are summed over these lesions alone."""
    return _over_lesions(first), _over_lesions(second)


def along_the_imaged_stretch(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare ultrasound with the network's own lesions, where ultrasound looked."""
    hulls: dict[str, tuple[float, float]] = {}
    for (vessel, _), row in first.lesions.items():
        start, end = row.get("lesion_start") or 0.0, row.get("lesion_end") or 0.0
        low, high = hulls.get(vessel, (start, end))
        hulls[vessel] = (min(low, start), max(high, end))
    return _over_lesions(first), _over_lesions(restricted(second, hulls))


def _over_lesions(values: Values) -> Values:
    """Sum over a read's lesions alone, whatever it says of vessels; what it says of the patient stays."""
    found = lesions_alone(values)
    found.patient = values.patient
    found.grades = {place: text for place, text in values.grades.items() if place[0] == "patient"}
    return rolled_up(found, territories=())


def worst_of_segments(first: Values, second: Values) -> tuple[Values, Values]:
    """Compare graded segments with the network's territories."""
    return graded_by_segment(first), second


def plan(
    cases: Sequence[Case], covariates: Mapping[int, Mapping[str, float | str]]
) -> tuple[list[Plan], Counter[tuple[str, str]]]:
    """Return every comparison of the study, and (pair, reason) → how many cases do not enter."""
    plans: list[Plan] = []
    left: Counter[tuple[str, str]] = Counter()
    for case in cases:
        plans += _network_expert(case, left)
        plans += _expert_expert(case, left)
        plans += _repeat(case, left)
        plans += _network_ivus(case, covariates.get(case.subject.pk, {}), left)
        plans += _network_ica(case, left)
        plans += _centreline(case, left)
    return plans, left


def _network_expert(case: Case, left: Counter[tuple[str, str]]) -> list[Plan]:
    if case.run is None:
        return []
    network = network_read(case.run, case.patient)
    if case.final is not None and case.final.saw_network:
        return [Plan("assisted", "own", network, case.final, as_they_are)]
    reference, prepare = case.final, as_they_are
    if reference is None:
        imports = case.imports("expert")
        if not imports:
            if case.case is not None:
                left["network_expert", "cases that are not final yet"] += 1
            return []
        reference, prepare = imports[0], imported_with_roll_up
    plans = [Plan("network_expert", "own", reference, network, prepare)]
    given = case.given.get(reference.key)
    if given is None:
        left["network_expert", "cases not yet measured inside the reference's lesions"] += 1
    else:
        plans.append(Plan("network_expert", "given", reference, network_read(given, case.patient), prepare))
    return plans


def _expert_expert(case: Case, left: Counter[tuple[str, str]]) -> list[Plan]:
    if {0, 1} <= case.readers.keys():
        first, second = case.readers[0], case.readers[1]
        if first.saw_network or second.saw_network:
            left["expert_expert", "cases whose readers saw the network"] += 1
            return []
        return [Plan("expert_expert", "own", first, second, as_they_are)]
    imports = case.imports("expert")
    if len(imports) >= 2:
        return [Plan("expert_expert", "own", imports[0], imports[1], both_rolled_up)]
    return []


def _repeat(case: Case, left: Counter[tuple[str, str]]) -> list[Plan]:
    plans: list[Plan] = []
    for slot, again in sorted(case.repeats.items()):
        if slot not in case.readers:
            continue
        if again.saw_network or case.readers[slot].saw_network:
            left["repeat", "second readings with the network in sight"] += 1
            continue
        plans.append(Plan("repeat", "own", case.readers[slot], again, as_they_are))
    return plans + [
        Plan("repeat", "own", case.imported["expert", reader, 1], again, both_rolled_up)
        for (kind, reader, occasion), again in sorted(case.imported.items())
        if kind == "expert" and occasion == 2 and ("expert", reader, 1) in case.imported
    ]


def _network_ivus(
    case: Case, covariates: Mapping[str, float | str], left: Counter[tuple[str, str]]
) -> list[Plan]:
    imports = case.imports("ivus")
    if not imports or case.run is None:
        return []
    days = covariates.get("ivus_days")
    if isinstance(days, float) and abs(days) > MOST_DAYS_TO_IVUS:
        left[
            "network_ivus", f"patients with ultrasound more than {MOST_DAYS_TO_IVUS:g} days from the CT"
        ] += 1
        return []
    levels = ("lesion", "territory", "patient")
    given = case.given.get(imports[0].key)
    if given is None:
        left["network_ivus", "patients not yet measured inside the ultrasound's lesions"] += 1
        return []
    second = network_read(given, case.patient)
    own = network_read(case.run, case.patient)
    return [
        Plan("network_ivus", "given", imports[0], second, inside_the_same_lesions, levels),
        Plan("network_ivus", "own", imports[0], own, along_the_imaged_stretch, levels, as_ultrasound=True),
    ]


def _network_ica(case: Case, left: Counter[tuple[str, str]]) -> list[Plan]:
    imports = case.imports("ica")
    if not imports:
        return []
    if case.run is None:
        left["network_ica", "patients whose scan is not analysed yet"] += 1
        return []
    network = network_read(case.run, case.patient)
    return [Plan("network_ica", "own", imports[0], network, worst_of_segments, ("territory", "patient"))]


def _centreline(case: Case, left: Counter[tuple[str, str]]) -> list[Plan]:
    if case.made_otherwise:
        left["centreline", "second operators' runs by another measuring code, network or profile"] += 1
    if case.run is None or case.second_operator is None:
        return []
    first = network_read(case.run, case.patient, "centreline_a")
    second = network_read(case.second_operator, case.patient, "centreline_b")
    runs = (case.run.pk, case.second_operator.pk)
    return [Plan("centreline", "own", first, second, as_they_are, centrelines=runs)]


def compare(plan: Plan, values: Mapping[Owner, Values]) -> Comparison:
    """Return a plan with its numbers."""
    reference, other = values[plan.first.owner], values[plan.second.owner]
    if plan.as_ultrasound:
        other = wall_minus_lumen(plan.second.owner[1], {vessel for vessel, _ in reference.lesions})
    first, second = plan.prepare(reference, other)
    return Comparison(
        pair=plan.pair,
        extents=plan.extents,
        patient=plan.first.patient,
        first_read=plan.first.key,
        second_read=plan.second.key,
        first=first,
        second=second,
        place=place_between(*plan.centrelines) if plan.centrelines else None,
        levels=plan.levels,
    )
