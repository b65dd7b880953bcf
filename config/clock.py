"""The clock, for `celery -A config.clock beat`: it sends ticks by their names, and does none.

Nothing of what ticks do is loaded here: that would take twice the memory.
"""

from celery import Celery

from config.broker import AGREED

# Without Celery's fixup for Django, which loads all models.
app = Celery("licet", fixups=[])
app.conf.update(AGREED)
