"""Lesions are paired by overlap, one to one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plaquelab.freezes.matching import Extent, match


def numbers(pairs):
    return [(a and a.number, b and b.number) for a, b in pairs]


def test_largest_overlap_wins_and_the_rest_stand_alone():
    first = [Extent(1, 0, 10), Extent(2, 30, 40)]
    second = [Extent(1, 8, 12), Extent(2, 1, 9), Extent(3, 50, 60)]
    assert numbers(match(first, second)) == [(1, 2), (None, 1), (2, None), (None, 3)]


def test_touching_ends_are_no_overlap():
    assert numbers(match([Extent(1, 0, 10)], [Extent(1, 10, 20)])) == [(1, None), (None, 1)]


extents = st.lists(st.tuples(st.floats(0, 100), st.floats(0.5, 20)), max_size=6).map(
    lambda rows: [Extent(i + 1, a, a + length) for i, (a, length) in enumerate(rows)]
)


@given(extents, extents)
def test_every_lesion_appears_exactly_once(first, second):
    pairs = match(first, second)
    assert sorted(a.number for a, _ in pairs if a) == [e.number for e in first]
    assert sorted(b.number for _, b in pairs if b) == [e.number for e in second]
    swapped = match(second, first)
    assert sum(1 for a, b in pairs if a and b) == sum(1 for a, b in swapped if a and b)
