"""Clean Descriptors: known words stay, everything else goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaquelab.imaging.deidentify import clean_text
from plaquelab.imaging.deidentify_table import ACTIONS, WORDS


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("CorCTA 0.75 Bv40 70%", "CorCTA 0.75 Bv40 70%"),
        ("CTA HEART Smith 75%", "CTA HEART 75%"),
        ("Coronary CTA, Dr. Jones (ward 12345)", "Coronary CTA"),
        ("SMITH^JOHN", ""),
        ("", ""),
    ],
)
def test_only_known_words_stay(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz^ ", max_size=40))
def test_letters_alone_never_pass_unless_they_are_known_words(text: str) -> None:
    assert all(word.lower() in WORDS for word in clean_text(text).split())


def test_no_person_name_is_kept() -> None:
    from pydicom.datadict import dictionary_VR, keyword_dict

    kept = [keyword for keyword, action in ACTIONS.items() if action in ("K", "C")]
    assert all(keyword in keyword_dict for keyword in ACTIONS)
    assert not [keyword for keyword in kept if "PN" in dictionary_VR(keyword)]
    assert not [k for k, action in ACTIONS.items() if dictionary_VR(k) in ("DA", "DT") and action not in "DZ"]
    instance_uids = [k for k, a in ACTIONS.items() if dictionary_VR(k) == "UI" and a == "K"]
    assert sorted(instance_uids) == ["ReferencedSOPClassUID", "SOPClassUID"]
