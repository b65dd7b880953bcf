"""Writes about people, workspaces and keys, by noun."""

from accounts.services.keys import (
    IssuedKey,
    generate_key,
    is_well_formed,
    issue_key,
    note_key_use,
    revoke_key,
)
from accounts.services.people import create_owner

__all__ = [
    "IssuedKey",
    "create_owner",
    "generate_key",
    "is_well_formed",
    "issue_key",
    "note_key_use",
    "revoke_key",
]
