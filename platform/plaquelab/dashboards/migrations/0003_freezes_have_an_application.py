"""Calculations refer to freezes in their own application; no table changes."""

from django.db import migrations, models
from django.db.models import deletion


class Migration(migrations.Migration):
    dependencies = [
        ("dashboards", "0002_calculation"),
        ("freezes", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="calculation",
                    name="freeze",
                    field=models.ForeignKey(
                        on_delete=deletion.PROTECT, related_name="calculations", to="freezes.datasetfreeze"
                    ),
                ),
                migrations.DeleteModel(name="DatasetFreeze"),
            ],
        ),
    ]
