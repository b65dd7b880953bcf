"""One plugin's directory: `plugin.json` (Placet contract 8.1), `render.html`, perhaps an icon."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST, RENDER = "plugin.json", "render.html"
LARGEST_MANIFEST, LARGEST_RENDER, LARGEST_ICON = 64 * 1024, 1024 * 1024, 256 * 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]{0,20}")
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
DOMAIN = re.compile(r"\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)
ICON_NAME = re.compile(r"[a-z0-9-]{1,64}")
ICON_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
}
LONGEST = {"displayName": 100, "description": 1000, "author": 200}
ANY_HOST = "*"


class InvalidPluginError(Exception):
    """A directory that is no plugin. The text names the file, the field and what is wrong."""


@dataclass(frozen=True)
class Variable:
    """A value that a workspace gives to the plugin. A secret one is never shown to a browser."""

    key: str
    label: str
    required: bool = False
    default: str = ""
    secret: bool = False
    description: str = ""


@dataclass(frozen=True)
class Plugin:
    """A plugin as it was found. `manifest` is its own JSON object."""

    folder: Path
    name: str
    display_name: str
    version: str
    manifest: Mapping[str, Any]
    html: str
    description: str = ""
    author: str = ""
    icon: Path | None = None
    may_call: bool = False
    domains: tuple[str, ...] = (ANY_HOST,)
    variables: tuple[Variable, ...] = ()

    @property
    def input_schema(self) -> Mapping[str, Any]:
        schema = self.manifest.get("inputSchema")
        return schema if isinstance(schema, Mapping) else {}

    @property
    def calls_anybody(self) -> bool:
        return self.may_call and ANY_HOST in self.domains

    @property
    def public_manifest(self) -> dict[str, Any]:
        """The manifest for agents and browsers: without what a secret is by default."""
        entries = self.manifest.get("env")
        if not isinstance(entries, list):
            return dict(self.manifest)
        shown = [_without_secret(entry) for entry in entries]
        return {**self.manifest, "env": shown}

    def variable(self, key: str) -> Variable | None:
        return next((each for each in self.variables if each.key == key), None)


def _without_secret(entry: Mapping[str, Any]) -> dict[str, Any]:
    hidden = "default" if entry.get("secret") is True else ""
    return {name: value for name, value in entry.items() if name != hidden}


def read_plugin(folder: Path) -> Plugin:
    """Read and judge a directory.

    Raises: InvalidPluginError.
    """
    manifest = _read_manifest(folder / MANIFEST)
    reader = _Reader(folder / MANIFEST, manifest)
    may_call, domains = _permissions(reader)
    return Plugin(
        folder=folder,
        name=_name(reader, folder),
        display_name=reader.text("displayName", required=True),
        version=reader.text("version", VERSION, required=True, wish="must begin with n.n.n"),
        manifest=manifest,
        html=_read_text(folder / RENDER, LARGEST_RENDER),
        description=reader.text("description"),
        author=reader.text("author"),
        icon=_icon(reader, folder),
        may_call=may_call,
        domains=domains,
        variables=tuple(_variables(reader)),
    )


def _read_text(path: Path, most: int) -> str:
    """Raises: InvalidPluginError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidPluginError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise InvalidPluginError(f"{path}: has more than {most} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidPluginError(f"{path}: is not UTF-8") from None


def _read_manifest(path: Path) -> dict[str, Any]:
    """Raises: InvalidPluginError."""
    text = _read_text(path, LARGEST_MANIFEST)
    try:
        manifest = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise InvalidPluginError(f"{path}: {where}") from None
    except (ValueError, RecursionError):
        raise InvalidPluginError(f"{path}: is not JSON that can be read") from None
    if not isinstance(manifest, dict):
        raise InvalidPluginError(f"{path}: must be a JSON object")
    return manifest


@dataclass(frozen=True)
class _Reader:
    """The fields of one JSON object; `place` is the object's path in the manifest."""

    path: Path
    fields: Mapping[str, Any]
    place: str = ""

    def refuse(self, name: str, problem: str) -> InvalidPluginError:
        return InvalidPluginError(f'{self.path}: "{self.place}{name}" {problem}')

    def text(
        self,
        name: str,
        pattern: re.Pattern[str] | None = None,
        *,
        required: bool = False,
        wish: str = "",
    ) -> str:
        """Raises: InvalidPluginError."""
        value = self._typed(name, str, "must be text", default="")
        if not value.strip() and required:
            raise self.refuse(name, "is missing")
        longest = LONGEST.get(name, LARGEST_MANIFEST)
        if len(value) > longest:
            raise self.refuse(name, f"has more than {longest} characters")
        if pattern and value and not pattern.fullmatch(value):
            raise self.refuse(name, f"{wish}, not {value[:80]!r}")
        return str(value)

    def switch(self, name: str) -> bool:
        """Raises: InvalidPluginError."""
        return bool(self._typed(name, bool, "must be true or false", default=False))

    def fields_of(self, name: str) -> Mapping[str, Any]:
        """Raises: InvalidPluginError."""
        found: Mapping[str, Any] = self._typed(name, dict, "must be an object", default={})
        return found

    def entries(self, name: str) -> list[Any]:
        """Raises: InvalidPluginError."""
        found: list[Any] = self._typed(name, list, "must be a list", default=[])
        return found

    def _typed(self, name: str, kind: type, problem: str, *, default: Any) -> Any:
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise self.refuse(name, problem)
        return value


def _name(reader: _Reader, folder: Path) -> str:
    """Raises: InvalidPluginError."""
    wish = "takes letters, digits, - and _, up to 64"
    name = reader.text("name", NAME, required=True, wish=wish)
    if name != folder.name:
        raise reader.refuse("name", f"must equal the directory's name {folder.name!r}")
    return name


def _icon(reader: _Reader, folder: Path) -> Path | None:
    """The file of an icon; the name of one is looked at and passed over.

    Raises: InvalidPluginError.
    """
    icon = reader.text("icon")
    if not icon or ICON_NAME.fullmatch(icon):
        return None
    path = (folder / icon).resolve()
    if not icon.startswith("./") or not path.is_relative_to(folder.resolve()):
        raise reader.refuse("icon", "must be a name, or a file as ./icon.svg in this directory")
    if path.suffix.lower() not in ICON_TYPES:
        raise reader.refuse("icon", f"must end with {', '.join(ICON_TYPES)}")
    if not path.is_file():
        raise reader.refuse("icon", f"names {icon}, which does not exist")
    if path.stat().st_size > LARGEST_ICON:
        raise reader.refuse("icon", f"has more than {LARGEST_ICON} bytes")
    return path


def _permissions(reader: _Reader) -> tuple[bool, tuple[str, ...]]:
    """Whether it may call, and whom. Without a list, anybody.

    Raises: InvalidPluginError.
    """
    reader.fields_of("inputSchema")
    inner = _Reader(reader.path, reader.fields_of("permissions"), "permissions.")
    may_call = inner.switch("httpRequests")
    if inner.fields.get("maxHttpDomains") is None:
        return may_call, (ANY_HOST,)
    domains = inner.entries("maxHttpDomains")
    for number, domain in enumerate(domains):
        if not isinstance(domain, str) or not DOMAIN.fullmatch(domain):
            problem = 'must be "*", a host as api.example.org, or *.example.org'
            raise inner.refuse(f"maxHttpDomains[{number}]", problem)
    return may_call, tuple(domain.lower() for domain in domains)


def _variables(reader: _Reader) -> Iterator[Variable]:
    """Raises: InvalidPluginError."""
    seen: set[str] = set()
    for number, entry in enumerate(reader.entries("env")):
        if not isinstance(entry, dict):
            raise reader.refuse(f"env[{number}]", "must be an object")
        inner = _Reader(reader.path, entry, f"env[{number}].")
        key = inner.text("key", KEY, required=True, wish="takes letters, digits and _, up to 64")
        if key in seen:
            raise inner.refuse("key", f"{key!r} is there twice")
        seen.add(key)
        yield Variable(
            key=key,
            label=inner.text("label", required=True),
            required=inner.switch("required"),
            default=inner.text("default"),
            secret=inner.switch("secret"),
            description=inner.text("description"),
        )


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "number": lambda: 1,
    "integer": lambda: 1,
    "boolean": lambda: True,
    "array": list,
    "object": dict,
}


def sample_data(plugin: Plugin) -> dict[str, Any]:
    """What a preview shows: the schema's first example, else a value for each property."""
    examples = plugin.input_schema.get("examples")
    if isinstance(examples, list) and examples and isinstance(examples[0], dict):
        return dict(examples[0])
    properties = plugin.input_schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {name: _sample(name, rules) for name, rules in properties.items()}


def _sample(name: str, rules: Any) -> Any:
    if not isinstance(rules, Mapping):
        return name
    for key in ("examples", "enum"):
        choices = rules.get(key)
        if isinstance(choices, list) and choices:
            return choices[0]
    if "default" in rules:
        return rules["default"]
    return SAMPLES.get(str(rules.get("type")), lambda: name)()
