from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reading", "0005_code_versions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="read",
            name="state",
            field=models.CharField(
                choices=[
                    ("assigned", "Assigned"),
                    ("in_progress", "In Progress"),
                    ("submitted", "Submitted"),
                    ("signed", "Signed"),
                ],
                default="assigned",
                max_length=12,
            ),
        ),
    ]
