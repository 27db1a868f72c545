"""Analysis runs, their vessels, contour sets and measurements."""

from __future__ import annotations

from django.db import models

from plaquelab.analysis import measuring_code
from plaquelab.imaging.models import Exam
from plaquelab.jobs.models import Job
from plaquelab.studies.models import Study

CODE_VERSION = "of the measuring code that made it; empty: made before versions were kept"


class ModelVersion(models.Model):
    """A network with its weights."""

    name = models.CharField(max_length=60)
    weights_sha256 = models.CharField(max_length=64, unique=True)
    card = models.JSONField()


class CentrelineSet(models.Model):
    """Centrelines of an exam: from a file, or traced between two points per vessel."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="centreline_sets")
    source = models.CharField(max_length=40, help_text="file | two-point | stored points")
    is_second_operator = models.BooleanField(
        default=False, help_text="set apart to compare two operators: never read on, only compared"
    )
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)


class AnalysisRun(Job):
    """One run of the network over one exam; unique per what went in.

    Only a main run is read on. A given-extents run measures the network inside the lesions of a reference read;
    a second-operator run repeats the main one along another operator's centrelines. Both are for comparisons.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        RUNNING = "running"
        STORING = "storing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        TIMED_OUT = "timed_out"
        CANCELLED = "cancelled"

    class Purpose(models.TextChoices):
        MAIN = "main"
        GIVEN_EXTENTS = "given_extents"
        SECOND_OPERATOR = "second_operator"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="runs")
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="runs")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="runs")
    centrelines = models.ForeignKey(CentrelineSet, on_delete=models.PROTECT, related_name="runs")
    profile = models.CharField(max_length=24)
    parameters_sha256 = models.CharField(max_length=64)
    code_version = models.CharField(max_length=16, blank=True, default="", help_text=CODE_VERSION)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.MAIN)
    reference = models.CharField(
        max_length=40, blank=True, help_text="whose lesions were given: “revision 12”, “import 3”"
    )
    extents = models.JSONField(
        default=dict,
        help_text="given: {vessel: {lesions: [[number, start_mm, end_mm]], excluded: [[start_mm, end_mm, reason]]}}",
    )
    variant = models.CharField(
        max_length=20, default="plaque", help_text="plaque | wall_minus_lumen (as ultrasound counts)"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    timings = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    doubts = models.JSONField(
        default=list,
        help_text="what makes scan, vessels or lesions doubtful (inference.doubts, as to_dict writes it)",
    )
    refusal = models.TextField(blank=True, help_text="the refusal's code; the message is for the person")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exam", "model", "centrelines", "profile", "parameters_sha256", "code_version"],
                name="analysis_run_once",
            )
        ]

    @property
    def measured_earlier(self) -> str:
        """Words where older measuring code than today's made it, else nothing."""
        return measuring_code.words(self.code_version)


class Artefact(models.Model):
    """A stored file of a run.

    ``RECORD`` is the kind of the file with everything that a run found but pictures and contours. Runs of earlier
    releases call theirs ``analysis``, which is the name of a file of the library's command line.
    """

    RECORD = "run_record"
    KINDS_OF_RECORD = (RECORD, "analysis")

    run = models.ForeignKey(AnalysisRun, on_delete=models.PROTECT, related_name="artefacts")
    kind = models.CharField(max_length=40)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()


class Vessel(models.Model):
    """A straightened vessel of a run (``inference.straightening.StraightenedVessel.to_bytes``)."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.PROTECT, related_name="vessels")
    name = models.CharField(max_length=8)
    order = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    sections = models.PositiveIntegerField()

    class Meta:
        ordering = ("run", "order")
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="vessel_once_per_run")]


class ContourSet(models.Model):
    """Contours of one vessel, whoever drew them: network, reader or adjudicator (one shared type)."""

    class Source(models.TextChoices):
        NETWORK = "network"
        READER = "reader"
        ADJUDICATOR = "adjudicator"

    vessel = models.ForeignKey(Vessel, on_delete=models.PROTECT, related_name="contour_sets")
    source = models.CharField(max_length=12, choices=Source.choices)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    excluded = models.JSONField(default=list, help_text="[[start_mm, end_mm, reason], ...]")
    code_version = models.CharField(max_length=16, blank=True, default="", help_text=CODE_VERSION)
    created_at = models.DateTimeField(auto_now_add=True)


class Lesion(models.Model):
    """A lesion's extent and reference positions on a contour set, in mm along the path."""

    contour_set = models.ForeignKey(ContourSet, on_delete=models.CASCADE, related_name="lesions")
    number = models.PositiveSmallIntegerField()
    start_mm = models.FloatField()
    end_mm = models.FloatField()
    proximal_reference_mm = models.FloatField(null=True)
    distal_reference_mm = models.FloatField(null=True)
    flags = models.JSONField(default=list)

    class Meta:
        ordering = ("contour_set", "number")
        constraints = [models.UniqueConstraint(fields=["contour_set", "number"], name="lesion_number_once")]


class Measurement(models.Model):
    """One row of the long table of definitions.md. Belongs to a run (network), to a read's revision or to an outside read."""

    run = models.ForeignKey(AnalysisRun, null=True, on_delete=models.PROTECT, related_name="measurements")
    revision = models.ForeignKey(
        "reading.ReadRevision", null=True, on_delete=models.PROTECT, related_name="measurements"
    )
    imported = models.ForeignKey(
        "references.ImportedRead", null=True, on_delete=models.PROTECT, related_name="measurements"
    )
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="measurements")
    level = models.CharField(max_length=10)
    vessel = models.CharField(max_length=8, blank=True)
    segment = models.CharField(max_length=20, blank=True)
    lesion = models.PositiveSmallIntegerField(null=True)
    metric = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    text = models.CharField(max_length=40, blank=True, help_text="for categories such as CAD-RADS")
    unit = models.CharField(max_length=12, blank=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    interval_low = models.FloatField(null=True, help_text="90 % against the truth, of a network's lesions")
    interval_high = models.FloatField(null=True)
    profile = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["exam", "level", "metric"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(run__isnull=False, revision__isnull=True, imported__isnull=True)
                | models.Q(run__isnull=True, revision__isnull=False, imported__isnull=True)
                | models.Q(run__isnull=True, revision__isnull=True, imported__isnull=False),
                name="measurement_has_one_owner",
            )
        ]
