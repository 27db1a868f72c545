"""Undo restores what was there, bit by bit; replay from the base gives what editing gave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.contours import VesselContours
from inference.quantification import NormalWall, VesselRead
from plaquelab.reading import replay
from plaquelab.reading.commands import apply, normalised
from plaquelab.reading.editing import apply_command, start_read, state_of
from plaquelab.reading.errors import EditError, StaleVersionError
from plaquelab.reading.measuring import Recent
from tests.platform.ready_cases import LESIONS, SECTIONS, drawn_contours

LENGTH = (SECTIONS - 1) * 0.3
moves = st.fixed_dictionaries(
    {
        "type": st.just("move_contour"),
        "which": st.sampled_from(["lumen", "wall"]),
        "section": st.integers(0, SECTIONS - 1),
        "angle_rad": st.floats(-7, 7),
        "delta_mm": st.floats(-9.6, 9.6),
        "width_sections": st.floats(0.1, 30),
        "width_rad": st.floats(0.05, 4),
    }
)
stretch = st.tuples(st.floats(0, LENGTH), st.floats(0, LENGTH)).map(sorted)
lesions = st.one_of(
    stretch.map(lambda pair: {"type": "add_lesion", "start_mm": pair[0], "end_mm": pair[1]}),
    st.tuples(st.integers(1, 3), stretch).map(
        lambda both: {"type": "set_lesion", "number": both[0], "start_mm": both[1][0], "end_mm": both[1][1]}
    ),
    st.integers(1, 3).map(lambda n: {"type": "remove_lesion", "number": n}),
)
steps = st.lists(
    st.one_of(moves, lesions, st.sampled_from([{"type": "undo"}, {"type": "redo"}])), max_size=12
)


def refuse(number: int) -> VesselRead:
    raise AssertionError(number)


def same(a: VesselRead, b: VesselRead) -> bool:
    pairs = [
        (getattr(a.contours, name), getattr(b.contours, name))
        for name in ("lumen_radius", "wall_radius", "plaque")
    ]
    return all(x.tobytes() == y.tobytes() for x, y in pairs) and a.lesions == b.lesions


@settings(max_examples=60, deadline=None)
@given(command=moves)
def test_a_drag_keeps_the_lumen_inside_the_wall_and_marks_elsewhere(command: dict[str, Any]) -> None:
    base = VesselRead("LAD", drawn_contours(), LESIONS)
    stored = normalised(command, sections=SECTIONS, length_mm=LENGTH)
    after = apply(base, stored, normal_wall=NormalWall(0.4, 0.0), load_replacement=refuse).contours
    assert isinstance(after, VesselContours)  # its own check: 0 <= lumen <= wall
    reach = 3.1 * stored["width_sections"]
    far = np.abs(np.arange(SECTIONS) - stored["section"]) > reach
    assert np.array_equal(after.plaque[far], base.contours.plaque[far])


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=steps)
def test_any_walk_of_edits_can_be_taken_back_exactly(
    assigned: SimpleNamespace, commands: list[dict[str, Any]]
) -> None:
    read, reader = assigned.reads[0], assigned.reader
    read.refresh_from_db()
    start_read(read=read, by=reader)
    read.drafts.update(commands=[], cursor=0)
    replay._states = Recent(128)
    seen = [state_of(read=read, vessel="LAD").vessel_read]
    for command in commands:
        cursor = state_of(read=read, vessel="LAD").draft.cursor
        try:
            now = apply_command(
                read=read, vessel="LAD", command=command, version=read.draft_version, by=reader
            )
        except EditError:
            read.refresh_from_db()
            continue
        if now.draft.cursor > cursor and command["type"] != "redo":
            del seen[now.draft.cursor :]
            seen.append(now.vessel_read)
        assert same(now.vessel_read, seen[now.draft.cursor])
    replay._states = Recent(128)  # as another process would see it
    assert same(
        state_of(read=read, vessel="LAD").vessel_read, seen[state_of(read=read, vessel="LAD").draft.cursor]
    )
    while state_of(read=read, vessel="LAD").can_undo:
        now = apply_command(
            read=read, vessel="LAD", command={"type": "undo"}, version=read.draft_version, by=reader
        )
        assert same(now.vessel_read, seen[now.draft.cursor])
    assert same(state_of(read=read, vessel="LAD").vessel_read, seen[0])


def walk(read: VesselRead, *commands: dict[str, Any]) -> VesselRead:
    for command in commands:
        stored = normalised(command, sections=SECTIONS, length_mm=LENGTH)
        read = apply(read, stored, normal_wall=NormalWall(0.4, 0.0), load_replacement=refuse)
    return read


def test_lesions_are_numbered_along_the_path_and_do_not_overlap() -> None:
    base = VesselRead("LAD", drawn_contours(), LESIONS)
    two = walk(base, {"type": "add_lesion", "start_mm": 1.0, "end_mm": 3.0})
    assert [(lesion.number, lesion.start_mm) for lesion in two.lesions] == [(1, 1.0), (2, 6.0)]
    with pytest.raises(EditError, match="overlap"):
        walk(two, {"type": "set_lesion", "number": 1, "start_mm": 1.0, "end_mm": 6.5})
    one = walk(two, {"type": "remove_lesion", "number": 1})
    assert [(lesion.number, lesion.start_mm) for lesion in one.lesions] == [(1, 6.0)]


def test_a_shortened_lesion_loses_its_marks_and_gets_them_back() -> None:
    base = VesselRead("LAD", drawn_contours(), LESIONS)
    short = walk(base, {"type": "set_lesion", "number": 1, "start_mm": 6.0, "end_mm": 9.0})
    assert base.contours.plaque[38].sum() == 16
    assert short.contours.plaque[38].sum() == 0
    assert short.contours.plaque[25].sum() == 16
    long = walk(short, {"type": "set_lesion", "number": 1, "start_mm": 6.0, "end_mm": 11.7})
    assert np.array_equal(long.contours.plaque, base.contours.plaque)


def test_a_pushed_wall_becomes_plaque_only_inside_the_lesion() -> None:
    base = VesselRead("LAD", drawn_contours(), LESIONS)
    push = {"type": "move_contour", "which": "wall", "angle_rad": 3.1, "delta_mm": 1.5}
    assert walk(base, {**push, "section": 30}).contours.plaque[30, 31]
    assert not walk(base, {**push, "section": 55}).contours.plaque.any(axis=1)[50:60].any()


def test_references_are_kept_until_they_are_changed() -> None:
    base = VesselRead("LAD", drawn_contours(), LESIONS)
    placed = walk(
        base, {"type": "set_lesion", "number": 1, "start_mm": 6, "end_mm": 11.7, "proximal_reference_mm": 2.5}
    )
    assert placed.lesions[0].proximal_reference_mm == 2.5
    moved = walk(placed, {"type": "set_lesion", "number": 1, "start_mm": 5, "end_mm": 11.7})
    assert moved.lesions[0].proximal_reference_mm == 2.5
    freed = walk(
        moved,
        {"type": "set_lesion", "number": 1, "start_mm": 5, "end_mm": 11.7, "proximal_reference_mm": None},
    )
    assert freed.lesions[0].proximal_reference_mm is None


@pytest.mark.both_worlds
@pytest.mark.django_db
def test_a_stale_page_is_refused_and_changes_nothing(assigned: SimpleNamespace) -> None:
    read, reader = assigned.reads[0], assigned.reader
    add = {"type": "add_lesion", "start_mm": 6.0, "end_mm": 9.0}
    apply_command(read=read, vessel="LAD", command=add, version=0, by=reader)
    with pytest.raises(StaleVersionError):
        apply_command(read=read, vessel="RCA", command=add, version=0, by=reader)
    assert state_of(read=read, vessel="RCA").draft.commands == []
    with pytest.raises(EditError, match="Only the reader"):
        apply_command(read=read, vessel="RCA", command=add, version=1, by=assigned.reader2)


@pytest.mark.django_db
def test_refitting_is_possible_from_what_a_revision_keeps(assigned: SimpleNamespace) -> None:
    """A revision's edits, replayed on their base, give its contours."""
    from plaquelab.analysis.models import ContourSet
    from plaquelab.analysis.selectors import load_contours
    from plaquelab.reading.services import save_revision
    from plaquelab.reading.start import normal_wall_of
    from tests.platform.ready_cases import FORM

    read, reader = assigned.reads[0], assigned.reader
    for version, command in enumerate(
        (
            {"type": "add_lesion", "start_mm": 6.0, "end_mm": 12.0},
            {"type": "move_contour", "which": "wall", "section": 30, "angle_rad": 0.4, "delta_mm": 0.8},
        )
    ):
        apply_command(read=read, vessel="LAD", command=command, version=version, by=reader)
    revision = save_revision(read=read, by=reader, form=FORM)
    edits = next(entry for entry in revision.edits if entry["vessel"] == "LAD")
    base = ContourSet.objects.get(drafts__read=read, vessel__name="LAD")
    assert edits["base"] == base.sha256
    state = replay.of_contour_set(base)
    for command in edits["commands"]:
        state = apply(state, command, normal_wall=normal_wall_of(read), load_replacement=refuse)
    kept = load_contours(revision.contour_sets.get(vessel__name="LAD"))
    assert kept.sha256 == state.contours.sha256
