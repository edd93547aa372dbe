from django.db import migrations


def begin_at_one(apps, schema_editor):
    apps.get_model("providers", "Provider").objects.filter(fallback_order=0).update(fallback_order=1)


class Migration(migrations.Migration):

    dependencies = [
        ("providers", "0002_fallback_order"),
    ]

    operations = [
        migrations.RunPython(begin_at_one, migrations.RunPython.noop),
    ]
