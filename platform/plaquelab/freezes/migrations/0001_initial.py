"""Freezes come from the application of dashboards: the model moves, its table and rows stay as they are."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import deletion


def follow(apps, schema_editor):
    """Let the content type, and permissions with it, follow the model; a new database has none yet."""
    rows = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
    rows.filter(app_label="dashboards", model="datasetfreeze").update(app_label="freezes")


def go_back(apps, schema_editor):
    """Undo ``follow``."""
    rows = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
    rows.filter(app_label="freezes", model="datasetfreeze").update(app_label="dashboards")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("dashboards", "0002_calculation"),
        ("studies", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="DatasetFreeze",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("attempt", models.PositiveIntegerField(default=0)),
                        (
                            "attempt_base",
                            models.PositiveIntegerField(
                                default=0, help_text="attempts before a person's last retry"
                            ),
                        ),
                        ("lease_until", models.DateTimeField(blank=True, null=True)),
                        ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                        ("worker", models.CharField(blank=True, max_length=120)),
                        (
                            "rung_at",
                            models.DateTimeField(
                                blank=True, help_text="when the reaper last rang again", null=True
                            ),
                        ),
                        ("stage", models.CharField(blank=True, max_length=40)),
                        ("progress", models.FloatField(default=0.0)),
                        ("cancel_requested", models.BooleanField(default=False)),
                        (
                            "message",
                            models.TextField(
                                blank=True, help_text="for the person; internals are logged with error_id"
                            ),
                        ),
                        ("error_id", models.CharField(blank=True, max_length=32)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("started_at", models.DateTimeField(blank=True, null=True)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("number", models.PositiveIntegerField()),
                        (
                            "source",
                            models.CharField(
                                choices=[("study", "This study's data"), ("simulation", "Simulated cohort")],
                                default="study",
                                max_length=12,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("building", "Building"),
                                    ("frozen", "Frozen"),
                                    ("released", "Released"),
                                    ("failed", "Failed"),
                                    ("discarded", "Discarded"),
                                ],
                                default="draft",
                                max_length=10,
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=300)),
                        ("is_simulated", models.BooleanField(default=False)),
                        ("hash", models.CharField(blank=True, max_length=64)),
                        (
                            "files",
                            models.JSONField(
                                default=dict, help_text="file in the freeze's folder → its size in bytes"
                            ),
                        ),
                        ("rows", models.JSONField(default=dict, help_text="table → number of rows")),
                        (
                            "left_out",
                            models.JSONField(default=list, help_text="[[what and why, how many], ...]"),
                        ),
                        ("frozen_at", models.DateTimeField(null=True)),
                        ("released_at", models.DateTimeField(null=True)),
                        ("release_reason", models.TextField(blank=True)),
                        (
                            "released_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "requested_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "study",
                            models.ForeignKey(
                                on_delete=deletion.PROTECT,
                                related_name="freezes",
                                to="studies.study",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "dashboards_datasetfreeze",
                        "ordering": ("study", "-number"),
                        "constraints": [
                            models.UniqueConstraint(fields=("study", "number"), name="freeze_number_once")
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(follow, go_back),
    ]
