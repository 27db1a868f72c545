"""The tables of a freeze and their columns: the contract between the core lab and the analyses.

Rules: a cell that is not known is null, never 0 or an empty text. Columns that are not required may be left out by
whoever writes; readers then find them null. Metric columns (``<metric>_first``, ``<metric>_second``, or ``<metric>``
in ``markers``) exist only for what the study measured. Nothing here unblinds: patients are pseudonyms, readers are
codes, days count from the study's first read or from the CT, and there is no calendar date.
"""

from __future__ import annotations

from dataclasses import dataclass

from analytics.freeze.pairs import EXTENTS, MATCHES, PAIRS
from analytics.metrics import CADRADS_CATEGORIES, LEVELS, METRICS, TERRITORIES

TEXT, INTEGER, NUMBER, FLAG = "text", "integer", "number", "flag"

PURPOSES = ("training", "internal_validation", "test", "external_validation", "prognostic")
READ_KINDS = (
    "network",
    "expert",
    "second_expert",
    "repeat",
    "assisted",
    "clinical",
    "ivus",
    "ica",
    "centreline_a",
    "centreline_b",
)
END_OF_FOLLOW_UP = "end_of_follow_up"
PANEL_KINDS = ("curved_reformation", "composition_overlay", "vessel")


@dataclass(frozen=True)
class Column:
    """One column.

    required : must be there and may have no null
    low, high : limits that a value may reach but not pass
    choices : allowed texts or integers; empty when free
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = False
    choices: tuple[str | int, ...] = ()
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, object]:
        """The column's entry in the data dictionary."""
        entry: dict[str, object] = {"name": self.name, "type": self.type, "unit": self.unit}
        entry |= {"meaning": self.meaning, "required": self.required}
        if self.choices:
            entry["choices"] = list(self.choices)
        return entry


@dataclass(frozen=True)
class TableSchema:
    """A table: what one row is, which columns identify it, and its columns.

    metrics : ``pairs`` adds two columns a metric, ``single`` one, empty none
    level : of the pair tables, the level of the metrics
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    metrics: str = ""
    level: str = ""

    def column(self, name: str) -> Column | None:
        """The column of that name, metric columns included; None when the table has none such."""
        for column in (*self.columns, *self.metric_columns()):
            if column.name == name:
                return column
        return None

    def metric_columns(self) -> tuple[Column, ...]:
        """Every metric column that this table may have."""
        found: list[Column] = []
        for metric in METRICS.values():
            if not self.metrics or (self.level or "patient") not in metric.levels:
                continue
            # Only attenuation of fat is negative by nature.
            low = None if metric.unit == "HU" else 0.0
            high = 100.0 if metric.unit == "%" and metric.name != "contrast_density_difference" else None
            if self.metrics == "single":
                found.append(Column(metric.name, NUMBER, metric.label, metric.unit, low=low, high=high))
                continue
            for side in ("first", "second"):
                meaning = f"{metric.label}, {side} read"
                found.append(
                    Column(f"{metric.name}_{side}", NUMBER, meaning, metric.unit, low=low, high=high)
                )
        return tuple(found)


def _text(name: str, meaning: str, *, required: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, TEXT, meaning, required=required, choices=choices)


def _number(
    name: str, meaning: str, unit: str, *, low: float | None = 0.0, high: float | None = None
) -> Column:
    return Column(name, NUMBER, meaning, unit, low=low, high=high)


PATIENT = _text("patient", "pseudonym", required=True)
VESSEL = _text("vessel", "path: LM, LAD, D1 …; empty for the whole patient")

PATIENTS = TableSchema(
    "patients",
    "one patient of the study, whether analysed or not",
    ("patient",),
    (
        PATIENT,
        _text("site", "site's code", required=True),
        _text("cohort", "cohort's name", required=True),
        _text("purpose", "what the cohort is for", required=True, choices=PURPOSES),
        _text("state", "how far the exam came: expected, received, accepted, analysed, read, final …"),
        Column("excluded", FLAG, "left out of the analysis", required=True),
        _text("exclusion_reason", "why left out"),
        Column("exam", INTEGER, "the exam's running number in the study", low=1),
        Column("lesions", INTEGER, "number of lesions in the reference read", low=0),
        Column("image_quality", INTEGER, "1 non-diagnostic … 5 excellent", low=1, high=5),
        _text("vendor", "scanner's manufacturer"),
        _text("scanner", "scanner's model"),
        _number("tube_voltage", "tube voltage", "kV"),
        _text("kernel", "reconstruction kernel"),
        _number("slice_thickness", "slice thickness", "mm"),
        _number("age", "age at the CT", "years", high=130),
        _text("sex", "sex", choices=("female", "male")),
        _number("assign_score", "ASSIGN ten-year cardiovascular risk", "%", high=100),
        _text("assign_version", "version of the ASSIGN formula"),
        _text("presentation", "clinical presentation"),
    ),
)

COVARIATES = TableSchema(
    "covariates",
    "one further characteristic of one patient",
    ("patient", "name"),
    (
        PATIENT,
        _text("name", "characteristic, in small letters with underscores", required=True),
        Column("value", NUMBER, "value; 1 and 0 for yes and no"),
        _text("category", "category, where it is no number"),
        _text("unit", "unit; yes/no for characteristics that a patient has or has not"),
    ),
)

READS = TableSchema(
    "reads",
    "one read of one patient",
    ("read",),
    (
        _text("read", "identity of the read", required=True),
        PATIENT,
        _text("kind", "what kind of read", required=True, choices=READ_KINDS),
        _text("reader", "reader's code, or the network's version"),
        Column("saw_network", FLAG, "the reader saw the network's result"),
        _number("share_changed", "plaque volume changed by an assisted reader", "%", high=None),
        _number("minutes", "active reading time", "min"),
        _number("seconds_gpu", "analysis time on a graphics processor", "s"),
        _number("seconds_cpu", "analysis time on a central processor", "s"),
        Column("order", INTEGER, "the reader's first, second … read", low=1),
        Column("day", INTEGER, "days since the study's first read", low=0),
    ),
)

_IDENTITY = (
    _text("pair", "what is compared", required=True, choices=tuple(PAIRS)),
    _text("extents", "whose lesion extents", required=True, choices=EXTENTS),
    _text("match", "which reads have the unit", required=True, choices=MATCHES),
    PATIENT,
    _text("first_read", "identity of the first read (the reference)"),
    _text("second_read", "identity of the second read"),
)
_CADRADS = tuple(
    Column(f"cadrads_{side}", INTEGER, f"CAD-RADS category, {side} read", choices=CADRADS_CATEGORIES)
    for side in ("first", "second")
) + tuple(
    Column(f"nondiagnostic_{side}", FLAG, f"the {side} read called it non-diagnostic")
    for side in ("first", "second")
)
_PAIR_KEY = ("pair", "extents", "patient", "first_read", "second_read")

LESION_PAIRS = TableSchema(
    "lesion_pairs",
    "one lesion as two reads measured it",
    (*_PAIR_KEY, "vessel", "first_lesion", "second_lesion"),
    (
        *_IDENTITY,
        _text("vessel", "path: LM, LAD, D1 …", required=True),
        _text("territory", "LAD, LCx or RCA", choices=TERRITORIES),
        Column("segment", INTEGER, "SCCT segment", low=1, high=18),
        Column("first_lesion", INTEGER, "the first read's lesion number along the vessel", low=1),
        Column("second_lesion", INTEGER, "the second read's lesion number along the vessel", low=1),
        _number("position", "middle of the lesion along the vessel's centreline", "mm"),
    ),
    "pairs",
    "lesion",
)
VESSEL_PAIRS = TableSchema(
    "vessel_pairs",
    "one vessel (path) as two reads measured it",
    (*_PAIR_KEY, "vessel"),
    (*_IDENTITY, _text("vessel", "path: LM, LAD, D1 …", required=True)),
    "pairs",
    "vessel",
)
TERRITORY_PAIRS = TableSchema(
    "territory_pairs",
    "one territory as two reads measured it (the paper's vessel: three a patient)",
    (*_PAIR_KEY, "territory"),
    (*_IDENTITY, _text("territory", "LAD, LCx or RCA", required=True, choices=TERRITORIES), *_CADRADS),
    "pairs",
    "territory",
)
PATIENT_PAIRS = TableSchema(
    "patient_pairs",
    "one patient as two reads measured them",
    _PAIR_KEY,
    (*_IDENTITY, *_CADRADS),
    "pairs",
    "patient",
)

SEGMENT_GRADES = TableSchema(
    "segment_grades",
    "one reader's grade of one segment",
    ("patient", "segment", "kind", "reader"),
    (
        PATIENT,
        Column("segment", INTEGER, "SCCT segment", required=True, low=1, high=18),
        _text("kind", "modality: clinical CCTA, ICA, or the network", required=True, choices=READ_KINDS),
        _text("reader", "reader's code", required=True),
        _text("territory", "LAD, LCx or RCA", choices=TERRITORIES),
        _number("diameter_stenosis", "diameter stenosis", "%", high=100),
        Column("cadrads", INTEGER, "CAD-RADS category", choices=CADRADS_CATEGORIES),
        Column("nondiagnostic", FLAG, "the reader called it non-diagnostic"),
    ),
)

MARKERS = TableSchema(
    "markers",
    "the network's measurements of one patient, for outcome",
    ("patient",),
    (PATIENT, Column("cadrads", INTEGER, "CAD-RADS category", choices=CADRADS_CATEGORIES)),
    "single",
    "patient",
)

NETWORK_INTERVALS = TableSchema(
    "network_intervals",
    "one number of one lesion that the network drew, with the interval that holds the truth nine times in ten",
    ("patient", "vessel", "lesion", "metric"),
    (
        PATIENT,
        _text("vessel", "path: LM, LAD, D1 …", required=True),
        Column("lesion", INTEGER, "lesion number along the vessel", required=True, low=1),
        _text("metric", "which number: a metric, in its unit", required=True),
        _number("value", "as measured", ""),
        _number("interval_low", "90 % interval against the truth, lower end", ""),
        _number("interval_high", "90 % interval against the truth, upper end", ""),
    ),
)

NETWORK_DOUBTS = TableSchema(
    "network_doubts",
    "one doubt of the network's analysis of one patient",
    ("patient", "number"),
    (
        PATIENT,
        Column("number", INTEGER, "of the doubt within the patient", required=True, low=1),
        _text("code", "kind of doubt: scales_disagree, no_border_contrast …", required=True),
        VESSEL,
        Column("lesion", INTEGER, "lesion number along the vessel; null for a vessel or the scan", low=1),
        _number("start_mm", "where it begins along the vessel", "mm"),
        _number("end_mm", "where it ends along the vessel", "mm"),
        _number("measure", "how much, in the kind's unit", "", low=None),
    ),
)

OUTCOMES = TableSchema(
    "outcomes",
    f"one event of one patient, or the end of follow-up (event {END_OF_FOLLOW_UP})",
    ("patient", "event"),
    (
        PATIENT,
        _text(
            "event", f"kind of event, e.g. myocardial_infarction, death, or {END_OF_FOLLOW_UP}", required=True
        ),
        Column("years", NUMBER, "years from the CT", "years", required=True, low=0),
        _text("source", "where it is known from"),
    ),
)

QUALITY = TableSchema(
    "quality",
    "one exam (vessel empty) or one of its vessels in the analysis queue",
    ("patient", "vessel"),
    (
        PATIENT,
        VESSEL,
        Column("day", INTEGER, "days since the study's first read", low=0),
        Column("failed", FLAG, "the analysis failed", required=True),
        _text("failure_reason", "why it failed"),
        Column("evaluable", FLAG, "a reader or the quality control called it evaluable", required=True),
        _text("not_evaluable_reason", "why not"),
        _number("uncertainty", "vessel pixels expected to be labelled wrongly", "%", high=100),
        Column("queries", INTEGER, "queries sent to the site", low=0),
    ),
)

DISAGREEMENT = TableSchema(
    "disagreement",
    "one case that two readers read",
    ("patient",),
    (
        PATIENT,
        _text("reader_1", "first reader's code", required=True),
        _text("reader_2", "second reader's code", required=True),
        Column("discordant", FLAG, "the discordance rule was met", required=True),
        _text("reason", "what differed"),
        Column("adjudicated", FLAG, "an adjudicator decided", required=True),
        Column(
            "chosen",
            INTEGER,
            "whose read was chosen: 1, 2, or 3 for a read of the adjudicator's own",
            choices=(1, 2, 3),
        ),
        Column("day", INTEGER, "days since the study's first read", low=0),
    ),
)

RATINGS = TableSchema(
    "ratings",
    "one reader's rating of one territory under one modality, with the reference (multi-reader multi-case)",
    ("patient", "territory", "reader", "modality"),
    (
        PATIENT,
        _text("territory", "LAD, LCx or RCA; empty for the whole patient", choices=TERRITORIES),
        _text("reader", "reader's code", required=True),
        _text("modality", "how it was read, e.g. unaided, aided", required=True),
        Column("score", NUMBER, "rating, higher for more disease", required=True),
        Column("diseased", FLAG, "the reference calls it diseased", required=True),
    ),
)

PANELS = TableSchema(
    "panels",
    "one stored picture of one case",
    ("file",),
    (
        _text("file", "file in the folder panels/", required=True),
        PATIENT,
        VESSEL,
        Column("lesion", INTEGER, "lesion number along the vessel", low=1),
        _text("kind", "what it shows", required=True, choices=PANEL_KINDS),
        _text("caption", "caption"),
    ),
)

TABLES: dict[str, TableSchema] = {
    table.name: table
    for table in (
        PATIENTS,
        COVARIATES,
        READS,
        LESION_PAIRS,
        VESSEL_PAIRS,
        TERRITORY_PAIRS,
        PATIENT_PAIRS,
        SEGMENT_GRADES,
        MARKERS,
        NETWORK_INTERVALS,
        NETWORK_DOUBTS,
        OUTCOMES,
        QUALITY,
        DISAGREEMENT,
        RATINGS,
        PANELS,
    )
}
PAIR_TABLES = {level: f"{level}_pairs" for level in LEVELS}


def dictionary() -> dict[str, object]:
    """The data dictionary of the format: every table and every column that it may have."""
    return {
        name: {
            "meaning": table.meaning,
            "key": list(table.key),
            "columns": [column.to_dict() for column in (*table.columns, *table.metric_columns())],
        }
        for name, table in TABLES.items()
    }
