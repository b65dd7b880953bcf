"""Which scene hurts the product at which of its fault points.

`tests/delivery/test_faults.py` compares this with the points in the source.
"""

WEB = (
    "create.before_commit",
    "create.after_commit",
    "decide.after_update",
    "decide.before_commit",
    "decide.after_commit",
    "hint.before_publish",
)
WORKER = (
    "claim.after_commit",
    "send.before_attempt_row",
    "send.after_attempt_row",
    "send.before_connect",
    "send.after_response",
    "finish.before_commit",
    "finish.after_commit",
    "lease.before_extend",
    "expire.after_update",
    "expire.after_commit",
)

UPLOAD = ("file.after_object",)
REMOVAL = ("file.before_object_delete", "file.after_object_delete")
ARCHIVING = ("archive.before_delete", "archive.after_delete")

# Killed at each of them, one after the other: while people decide, while files
# come and go, while old messages leave.
SCENES: dict[str, tuple[str, ...]] = {
    "D1": (*WEB, *WORKER),
    "F3": (*UPLOAD, *REMOVAL),
    "A1": ARCHIVING,
}
