"""Slabs that runs made become the exam's own; the runs keep their rows of them."""

from typing import Any

from django.db import migrations


def hand_over(apps: Any, schema_editor: Any) -> None:
    """Give each exam without slabs those of its newest run that has some."""
    Artefact = apps.get_model("analysis", "Artefact")
    CtSlab = apps.get_model("imaging", "CtSlab")
    Volume = apps.get_model("imaging", "Volume")
    made = Artefact.objects.filter(kind__startswith="ct-slab-").order_by("-run_id", "kind")
    for volume in Volume.objects.filter(slabs__isnull=True):
        mine = list(made.filter(run__exam_id=volume.exam_id))
        newest = [slab for slab in mine if slab.run_id == mine[0].run_id]
        CtSlab.objects.bulk_create(
            CtSlab(volume=volume, index=index, path=slab.path, sha256=slab.sha256, size=slab.size)
            for index, slab in enumerate(newest)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0005_code_versions"),
        ("imaging", "0002_ct_slabs"),
    ]

    operations = [migrations.RunPython(hand_over, migrations.RunPython.noop)]
