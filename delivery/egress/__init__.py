"""The one door to the outside: whatever leaves by HTTP leaves through `send`.

Rules: http and https only; a name is resolved once, every address it has is judged, and the
connection goes to a judged address; private and special addresses are refused unless
`EGRESS_ALLOW` names them; redirects are never followed and their bodies never read; at most 64 KiB
of an answer are read; one attempt ends after `EGRESS_ATTEMPT_SECONDS`, whatever the receiver does.

`allowed` reads EGRESS_ALLOW; `targets`, `addresses` and `headers` judge; `names` and `wire`
connect; `exchange` speaks HTTP; `watchdog` ends what takes too long; `failures` finds words for
what went wrong; `sending` puts them together. `fetching` does it for a caller who reads the answer,
up to 1 MiB of it, within 10 seconds.
"""

from .addresses import check_url
from .allowed import Allowed, parse_allowed
from .errors import AttemptFailedError, EgressRefusedError
from .fetching import METHODS as FETCH_METHODS
from .fetching import Fetched, fetch
from .headers import check_headers, check_method
from .sending import Request, Result, send
from .targets import host_of, origin_of, parse_target

__all__ = [
    "FETCH_METHODS",
    "Allowed",
    "AttemptFailedError",
    "EgressRefusedError",
    "Fetched",
    "Request",
    "Result",
    "check_headers",
    "check_method",
    "check_url",
    "fetch",
    "host_of",
    "origin_of",
    "parse_allowed",
    "parse_target",
    "send",
]
