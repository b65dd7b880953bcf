"""What delivery announces, inside the transaction of the change.

deliveries_finished  sender=Delivery, deliveries=[Delivery], with their events: reached a final
                     state.
"""

from django.dispatch import Signal

deliveries_finished = Signal()
