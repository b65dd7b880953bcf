"""How an attempt can end without an answer."""


class EgressRefusedError(Exception):
    """The request may not leave. The text is for operators; an agent learns only that."""


class AttemptFailedError(Exception):
    """The request could not be made, or was not answered. The text is for people."""
