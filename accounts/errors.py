"""The base of what is refused about people, workspaces and keys."""


class RefusedError(Exception):
    """A refusal with a stable `code` and a message for people."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
