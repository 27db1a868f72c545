"""Studies and who takes part in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Role(models.TextChoices):
    """Roles of core-lab practice; what each may do stands in ``studies.permissions``."""

    MANAGER = "manager", "Core-lab manager"
    COORDINATOR = "coordinator", "Site coordinator"
    TECHNICIAN = "technician", "Data-transfer technician"
    READER = "reader", "Reader"
    ADJUDICATOR = "adjudicator", "Adjudicator"
    INVESTIGATOR = "investigator", "Investigator"
    AUDITOR = "auditor", "Auditor"


class Study(models.Model):
    """One study with its own charter, keys and audit chain."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.title


class CharterVersion(models.Model):
    """A version of the study's protocol: every read and result names the version it was made under.

    ``rules`` (JSON): ``profile`` (composition profile), ``read_design`` ("independent": readers start
    from the network's contours? see ``start_from``), ``start_from`` ("network" | "blank"), ``readers`` (2),
    ``discordance`` {volume_percent: 25, volume_mm3: 90, cadrads_limits: [50, 70], plaque_stage: true},
    ``seed`` (for stored permutations), ``readers_see_network`` (bool).
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="charters")
    number = models.PositiveIntegerField()
    rules = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)

    class Meta:
        ordering = ("study", "number")
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="charter_one_number")]


class Site(models.Model):
    """A hospital or imaging centre."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name


class StudySite(models.Model):
    """A site's participation in a study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="study_sites")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="study_sites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "site"], name="study_site_once")]


class Cohort(models.Model):
    """A group of subjects with one purpose."""

    class Purpose(models.TextChoices):
        TRAINING = "training"
        INTERNAL_VALIDATION = "internal_validation"
        TEST = "test"
        EXTERNAL_VALIDATION = "external_validation"
        PROGNOSTIC = "prognostic"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=24, choices=Purpose.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="cohort_name_once")]

    def __str__(self) -> str:
        return self.name


class Subject(models.Model):
    """A pseudonymous participant. ``patient_key`` is a keyed hash of the first exam's PatientID."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="subjects")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="subjects")
    cohort = models.ForeignKey(
        Cohort, null=True, blank=True, on_delete=models.PROTECT, related_name="subjects"
    )
    pseudonym = models.CharField(max_length=40)
    patient_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("study", "pseudonym")
        constraints = [
            models.UniqueConstraint(fields=["study", "pseudonym"], name="pseudonym_unique_in_study"),
        ]

    def __str__(self) -> str:
        return self.pseudonym


class Membership(models.Model):
    """A role of a person in a study, at one site or at none (whole study), for a time."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    starts_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "study", "role", "site"],
                condition=Q(ends_at__isnull=True),
                name="membership_once",
            ),
            models.UniqueConstraint(
                fields=["user", "study", "role"],
                condition=Q(site__isnull=True, ends_at__isnull=True),
                name="membership_whole_study_once",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="membership_ends_after_start",
            ),
        ]
