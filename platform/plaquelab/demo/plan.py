"""What the demonstration study is made of: sites, cohorts, persons, eight phantom patients and what becomes of them.

Everything is simulated. The phantoms' seeds belong to the demonstration: no network was trained on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

STUDY = "demonstration"
TITLE = "Demonstration study (simulated)"
DISPLACEMENT_MM = 1.0

SITES = (("aln", "Alnwick Heart Centre"), ("bor", "Border Infirmary"), ("cai", "Cairn University Hospital"))
COHORTS = (("Internal", "internal_validation"), ("External", "external_validation"))

# The charter's rules (core-lab.md): the discordance default, and readers who never see the network (they start from a threshold).
RULES = {
    "profile": "corrected",
    "read_design": "independent",
    "start_from": "threshold",
    "readers": 2,
    "discordance": {
        "volume_percent": 25,
        "volume_mm3": 90,
        "cadrads_limits": [50, 70],
        "plaque_stage": True,
    },
    "seed": 20220401,
    "readers_see_network": False,
    "investigators_see_images": True,
}


@dataclass(frozen=True)
class Person:
    """A demonstration person: one role, at one site or in the whole study."""

    username: str
    printed_name: str
    role: str
    site: str = ""


PERSONS = (
    Person("manager", "Mara Lindqvist (simulated)", "manager"),
    Person("coordinator-1", "Ines Alnmouth (simulated)", "coordinator", "aln"),
    Person("coordinator-2", "Bram Selkirk (simulated)", "coordinator", "bor"),
    Person("coordinator-3", "Cleo Braemar (simulated)", "coordinator", "cai"),
    Person("technician", "Tove Ekström (simulated)", "technician"),
    Person("reader-1", "Rhea Castell (simulated)", "reader"),
    Person("reader-2", "Remy Okafor (simulated)", "reader"),
    Person("adjudicator", "Jonas Adeyemi (simulated)", "adjudicator"),
    Person("investigator", "Isla Moreau (simulated)", "investigator"),
    Person("auditor", "Quentin Ashby (simulated)", "auditor"),
)


class Fate(StrEnum):
    """How far a patient is taken."""

    FINAL = "final"
    ADJUDICATED = "adjudicated"
    DISCORDANT = "discordant"
    UNREAD = "unread"
    IN_QC = "in_qc"
    QUERIED = "queried"


@dataclass(frozen=True)
class Patient:
    """One phantom patient."""

    pseudonym: str
    seed: int
    site: str
    cohort: str
    fate: Fate
    image_quality: int = 4


# The unread case comes early, so that a reader has something to open while the rest is still being made.
PATIENTS = (
    Patient("DEMO-001", 900101, "aln", "Internal", Fate.UNREAD, 5),
    Patient("DEMO-002", 900102, "bor", "Internal", Fate.FINAL),
    Patient("DEMO-003", 900103, "cai", "Internal", Fate.DISCORDANT),
    Patient("DEMO-004", 900104, "aln", "External", Fate.ADJUDICATED),
    Patient("DEMO-005", 900105, "bor", "External", Fate.FINAL, 3),
    Patient("DEMO-006", 900106, "cai", "External", Fate.FINAL, 5),
    Patient("DEMO-007", 900107, "aln", "Internal", Fate.IN_QC),
    Patient("DEMO-008", 900108, "bor", "External", Fate.QUERIED),
)

QUERY_TEXT = (
    "The form says prospective gating at 75 % of the cardiac cycle, but the series description does not. "
    "Which phase was reconstructed?"
)
ADJUDICATION_REASON = (
    "A's outer wall follows the vessel in the proximal segments; B includes pericoronary fat. (simulated)"
)
