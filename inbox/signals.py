"""What inbox announces, inside the transaction of the change.

message_posted   sender=Message, message=Message, with everything it carries already stored.
message_changed  sender=Message, message=Message: text, state or delivery status changed.
message_deleted  sender=Message, message=Message: about to go; its row still exists.
channel_changed  sender=Channel, channel=Channel.
"""

from django.dispatch import Signal

message_posted = Signal()
message_changed = Signal()
message_deleted = Signal()
channel_changed = Signal()
