"""Notifications in people's browsers (RFC 8030, 8188, 8291, 8292): best effort, never the only way.

`keys` holds this server's name; `subscriptions` the devices; `queue` what they are told; `envelope`
encrypts and signs; `sending` sends through `egress`. What a notification says is the business of
the layers above.
"""
