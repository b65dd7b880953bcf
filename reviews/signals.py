"""What reviews announces, inside the transaction of the change.

reviews_closed  sender=ReviewRequest, reviews=[ReviewRequest]: answered, expired or cancelled; read
                their status. A sweep closes many at once.
"""

from django.dispatch import Signal

reviews_closed = Signal()
