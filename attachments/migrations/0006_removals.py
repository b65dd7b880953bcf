import django.utils.timezone
from django.db import migrations, models

from attachments.conversion.parts import OF_KIND


def remember_what_was_deleted(apps, schema_editor):
    """Rows that waited to be deleted go, and their objects are remembered."""
    Attachment = apps.get_model("attachments", "Attachment")
    Preview = apps.get_model("attachments", "Preview")
    Removal = apps.get_model("attachments", "Removal")
    deleting = Attachment.objects.filter(state="deleting")
    keys = list(deleting.values_list("storage_key", flat=True))
    for preview in Preview.objects.filter(attachment__state="deleting"):
        keys += [f"{preview.storage_key}/{name}" for name in OF_KIND[preview.kind]]
    Removal.objects.bulk_create([Removal(key=key) for key in keys], batch_size=500)
    deleting.delete()


def mark_answers(apps, schema_editor):
    """Drawings that were sent are those that are no drafts any more."""
    Attachment = apps.get_model("attachments", "Attachment")
    Attachment.objects.filter(edit_of__isnull=False, state="ready").update(is_answer=True)


class Migration(migrations.Migration):

    dependencies = [
        ('attachments', '0005_edits'),
    ]

    operations = [
        migrations.CreateModel(
            name='Removal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250, unique=True)),
                ('due_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='attachment',
            name='is_answer',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(remember_what_was_deleted, migrations.RunPython.noop),
        migrations.RunPython(mark_answers, migrations.RunPython.noop),
    ]
