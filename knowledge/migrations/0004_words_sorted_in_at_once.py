import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('knowledge', '0003_spaces_that_were_there'),
    ]

    operations = [
        # The index stays as it is; only how it takes new entries changes.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'ALTER INDEX chunk_terms SET (fastupdate = on)',
                    'ALTER INDEX chunk_terms SET (fastupdate = off)',
                ),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name='chunk', name='chunk_terms'),
                migrations.AddIndex(
                    model_name='chunk',
                    index=django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True, fields=['terms'], name='chunk_terms'
                    ),
                ),
            ],
        ),
    ]
