import django.db.models.deletion
from django.db import migrations, models

from accounts.operations import DropIndexOf


class Migration(migrations.Migration):
    """The newest delivery of a lane was looked for among those of all lanes."""

    dependencies = [
        ('delivery', '0005_lean_indexes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['lane', 'id'], name='delivery_of_lane'),
        ),
        DropIndexOf(
            model_name='delivery',
            name='lane',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='delivery.lane'),
        ),
    ]
