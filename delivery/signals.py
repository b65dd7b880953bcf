"""What delivery announces, inside the transaction of the change.

delivery_finished  sender=Delivery, delivery=Delivery, with its event: reached a final state.
"""

from django.dispatch import Signal

delivery_finished = Signal()
