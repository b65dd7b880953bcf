"""The base of what the domain refuses. Interfaces map `code` to a status and an envelope."""


class DomainError(Exception):
    """A refusal with a stable `code` and a message for people."""

    code = "invalid"

    def __init__(self, message: str, *, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
