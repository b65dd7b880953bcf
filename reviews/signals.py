"""What reviews announces, inside the transaction of the change.

review_closed  sender=ReviewRequest, review=ReviewRequest: answered, expired or cancelled; read
               its status.
"""

from django.dispatch import Signal

review_closed = Signal()
