"""What reviews announces, inside the transaction of the change.

reviews_closed  sender=ReviewRequest, reviews=[ReviewRequest]: answered, expired or cancelled; read
                their status. A sweep closes many at once.
read_changed    sender=ReviewRead, reviews=[ReviewRequest], user_id=UUID: this person saw them, or
                wants to see them again.
"""

from django.dispatch import Signal

reviews_closed = Signal()
read_changed = Signal()
