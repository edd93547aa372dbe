from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

BUILT_IN = 'all-MiniLM-L6-v2'


def tell_how_they_are_reached(apps, schema_editor):
    """Until now a space was of whatever the environment named, and was never given up."""
    EmbeddingSpace = apps.get_model('knowledge', 'EmbeddingSpace')
    foreign = EmbeddingSpace.objects.exclude(model_name=BUILT_IN)
    foreign.update(adapter='compatible', key_variable='EMBEDDING_API_KEY')
    foreign.filter(model_name=settings.EMBEDDING_MODEL).update(base_url=settings.EMBEDDING_BASE_URL)
    now = timezone.now()
    EmbeddingSpace.objects.filter(state='active').update(activated_at=now)
    # The newest that can still be reached is kept for going back; of the others all goes.
    earlier = EmbeddingSpace.objects.filter(state='retired').order_by('-updated_at')
    kept = next((s for s in earlier if s.adapter == 'minilm' or s.base_url), None)
    if kept is not None:
        EmbeddingSpace.objects.filter(pk=kept.pk).update(state='kept', built_at=now)


class Migration(migrations.Migration):

    dependencies = [
        ('knowledge', '0002_exact_indexing'),
    ]

    operations = [
        migrations.AddField(
            model_name='embeddingspace',
            name='dropped_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='embeddingspace',
            name='from_environment',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(tell_how_they_are_reached, migrations.RunPython.noop),
    ]
