"""What inbox announces, inside the transaction of the change.

message_posted   sender=Message, message=Message, with everything it carries already stored;
                 by_webhook=bool: whether the channel's webhook is to be called.
message_changed  sender=Message, message=Message, fields=frozenset of the names of what changed.
message_deleted  sender=Message, message=Message: about to go; its row still exists.
status_noted     sender=StatusEvent, event=StatusEvent: a step of a streamed reply.
channel_changed  sender=Channel, channel=Channel, fields=frozenset of the names of what changed.
channel_deleted  sender=Channel, channel=Channel: about to go, with everything in it.
"""

from django.dispatch import Signal

message_posted = Signal()
message_changed = Signal()
message_deleted = Signal()
status_noted = Signal()
channel_changed = Signal()
channel_deleted = Signal()
