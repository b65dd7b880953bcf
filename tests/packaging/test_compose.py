"""The compose file, as far as it can be judged without a container engine."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
FILE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, Any] = FILE["services"]


def test_compose_file_fits_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_every_part_of_the_product_has_a_service() -> None:
    assert SERVICES.keys() == {
        *("proxy", "setup", "web", "realtime", "worker", "beat"),
        *("postgres", "valkey", "s3"),
    }


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"setup"}))
def test_service_that_stays_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_only_the_proxy_publishes_a_port_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"proxy": ["${HOST:-127.0.0.1}:${PORT:-8000}:8000"]}


def test_every_variable_is_explained_in_the_example() -> None:
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", COMPOSE.read_text()))
    explained = set(
        re.findall(r"^(?:# )?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    assert used <= explained


def test_every_setting_is_explained_in_the_example_and_in_the_readme() -> None:
    modules = [ROOT / "config" / name for name in ("settings.py", "storage.py")]
    settings = "".join(module.read_text() for module in modules)
    call = r"""(?:env(?:_switch|_number|_networks)?\(\s*|_address\(env, )"([A-Z0-9_]+)\""""
    read = set(re.findall(call, settings))
    internal = {"STATIC_ROOT", "COLLECTING_STATIC"}  # set by the image itself
    example = (ROOT / ".env.example").read_text()
    readme = (ROOT / "README.md").read_text()
    assert {name for name in read - internal if f"{name}=" not in example} == set()
    assert {name for name in read - internal if f"`{name}`" not in readme} == set()


def test_commands_name_modules_that_exist() -> None:
    for name in ("web", "realtime", "worker", "beat"):
        (module,) = [
            word.partition(":")[0] for word in SERVICES[name]["command"] if "config." in word
        ]
        assert find_spec(module) is not None


def test_every_setting_of_the_example_reaches_the_processes() -> None:
    example = set(
        re.findall(r"^(?:# )?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    # The proxy's, the image's, and a part of DATABASE_URL.
    elsewhere = {"HOST", "PORT", "DATA_DIR", "POSTGRES_PASSWORD"}
    first_start = {"ADMIN_EMAIL", "ADMIN_PASSWORD", "BOOTSTRAP_API_KEY"}
    assert example - elsewhere <= SERVICES["setup"]["environment"].keys()
    for name in ("web", "realtime", "worker", "beat"):
        assert example - elsewhere - first_start <= SERVICES[name]["environment"].keys()


def test_only_the_worker_and_the_proxy_have_a_way_out() -> None:
    internal = {name for name, network in FILE["networks"].items() if network.get("internal")}
    outside = {name for name, service in SERVICES.items() if set(service["networks"]) - internal}
    assert outside == {"proxy", "worker"}


def test_image_starts_the_web_process_as_the_compose_file_does() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert json.loads(command) == SERVICES["web"]["command"]
    assert "--blocking-threads" in command  # by default 256 a worker, each with a connection


def test_image_is_built_from_everything_that_the_wheel_holds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md", "LICENSE"}
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(
        r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert needed <= {line.removeprefix("!") for line in allowed if line.startswith("!")}
    assert needed <= set(" ".join(copied).split())
