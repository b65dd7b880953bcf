"""Comparing what we say with what a running Placet said.

`<...>` in a recording stands for any value of its kind; an id is remembered under its name from
where it first appears.
"""

import re
from typing import Any


class Comparison:
    """`names` maps `<id:alpha>` and the like to real ids; it grows on the way."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = dict(names)

    def real(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(name, value)
        text = re.sub(r"<time>|<now-[^>]*>", "2020-01-01T00:00:00Z", text)
        return text.replace("<hook>", "127.0.0.1:8999")

    def differences(self, recorded: Any, ours: Any, where: str = "$") -> list[str]:
        """Where ours is not what was recorded; names are learned on the way."""
        if isinstance(recorded, str) and "<" in recorded:
            return self._placeholder(recorded, ours, where)
        if isinstance(recorded, dict) and isinstance(ours, dict):
            return self._objects(recorded, ours, where)
        if isinstance(recorded, list) and isinstance(ours, list):
            if len(recorded) != len(ours):
                return [f"{where}: {len(ours)} items, recorded {len(recorded)}"]
            pairs = enumerate(zip(recorded, ours, strict=True))
            return [d for i, (a, b) in pairs for d in self.differences(a, b, f"{where}[{i}]")]
        return [] if recorded == ours else [f"{where}: {ours!r}, recorded {recorded!r}"]

    def _objects(self, recorded: Any, ours: Any, where: str) -> list[str]:
        extra = set(ours) - set(recorded) - {"errors"}  # the documented key that Placet drops
        missing = set(recorded) - set(ours)
        found = [f"{where}: extra {sorted(extra)}"] if extra else []
        found += [f"{where}: missing {sorted(missing)}"] if missing else []
        for name in set(recorded) & set(ours):
            found += self.differences(recorded[name], ours[name], f"{where}.{name}")
        return found

    def _placeholder(self, recorded: str, ours: Any, where: str) -> list[str]:
        if re.fullmatch(r"<id[:#][^>]+>", recorded) and recorded not in self.names:
            self.names[recorded] = ours
        if recorded in ("<time>", "<now+24h>", "<now+36h>"):
            fits = bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ours))
        elif recorded in ("<key>", "<keyprefix>"):
            length = r"{8}" if recorded == "<keyprefix>" else "+"
            fits = bool(re.fullmatch(rf"hp_[0-9A-Za-z]{length}", ours))
        elif recorded.startswith("uploads/"):
            fits = isinstance(ours, str)  # ours says nothing about the file
        else:
            fits = self.real(recorded) == ours
        return [] if fits else [f"{where}: {ours!r}, recorded {recorded!r}"]
