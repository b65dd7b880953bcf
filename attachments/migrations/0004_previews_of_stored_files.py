from django.db import migrations

from attachments.kinds import preview_of

BATCH = 500


def want_previews(apps, schema_editor):
    """Files that were stored before there were previews get theirs."""
    Attachment = apps.get_model("attachments", "Attachment")
    Preview = apps.get_model("attachments", "Preview")
    wanted = []
    for file in Attachment.objects.filter(state="ready").iterator(chunk_size=BATCH):
        kind = preview_of(file.filename, file.mime_type)
        if kind:
            key = f"{file.storage_key}.preview"
            wanted.append(Preview(attachment=file, kind=kind, storage_key=key))
    Preview.objects.bulk_create(wanted, batch_size=BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('attachments', '0003_previews'),
    ]

    operations = [
        migrations.RunPython(want_previews, migrations.RunPython.noop),
    ]
