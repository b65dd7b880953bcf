from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('attachments', '0006_removals'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='attachment',
            name='attachment_state_known',
        ),
        migrations.AlterField(
            model_name='attachment',
            name='state',
            field=models.CharField(choices=[('staged', 'Staged'), ('draft', 'Not sent yet'), ('ready', 'Ready')], default='staged', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['staged', 'draft', 'ready'])), name='attachment_state_known'),
        ),
    ]
