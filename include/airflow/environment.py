"""airflow_settings.yaml and the settings Airflow needs here, as environment variables.

Plain Airflow ignores airflow_settings.yaml (it is the Astro CLI's file), so this module turns its connections into `AIRFLOW_CONN_X` (as
JSON, which survives odd characters) and its variables into `AIRFLOW_VAR_X`; pools have no environment form:
`include.airflow.pools` creates them. A variable that is already set always wins.

    python -m include.airflow.environment        the export lines, for eval

Must be importable before Airflow is: it decides where Airflow's home is.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from include.domain.errors import SettingError
from include.restatements.settings import GATE_OFF, variable_of

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_FILE = ROOT / "airflow_settings.yaml"

_REFERENCE = re.compile(r"\$\{([A-Z_]+)\}")


def airflow_options() -> dict[str, str]:
    """What this project needs of Airflow, in the order it must be set. Values may refer to earlier ones as `${NAME}`."""
    return {
        "AIRFLOW_HOME": str(ROOT / ".airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # With the default of 5 a third of finished tasks linger 5 s, and an approval given at once is lost.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Every hop between two tasks costs one idle sleep.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "False",
    }


def gate_off() -> dict[str, str]:
    """The money gate asks for nobody, as Variables: for rehearsals, where nights are what they are and nobody waits to answer."""
    return {f"AIRFLOW_VAR_{variable_of(name).upper()}": "off" if value is None else "false" for name, value in GATE_OFF.items()}


def read_settings(path: Path = SETTINGS_FILE) -> dict[str, list[dict[str, Any]]]:
    """The `connections`, `pools` and `variables` of an airflow_settings.yaml. Raises SettingError when it cannot be read."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        airflow = document["airflow"]
        return {name: list(airflow.get(name) or []) for name in ("connections", "pools", "variables")}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as problem:
        raise SettingError(
            f"{path} cannot be read as airflow_settings.yaml ({type(problem).__name__}). Compare it with the shipped one."
        ) from None


def connection_json(entry: Mapping[str, Any]) -> str:
    """One connection of the file as the JSON Airflow reads from `AIRFLOW_CONN_X`."""
    names = ("conn_type", "description", "host", "login", "password", "schema", "port")
    fields = {name: entry.get(name if name.startswith("conn_") else f"conn_{name}") for name in names}
    known = {name: value for name, value in fields.items() if value not in (None, "")}
    if entry.get("conn_extra"):
        known["extra"] = entry["conn_extra"]
    return json.dumps(known)


def declared(path: Path = SETTINGS_FILE) -> dict[str, str]:
    """Every variable of the project with its default, references not yet filled in."""
    settings = read_settings(path)
    lines = airflow_options()
    for entry in settings["connections"]:
        lines[f"AIRFLOW_CONN_{str(entry['conn_id']).upper()}"] = connection_json(entry)
    for entry in settings["variables"]:
        lines[f"AIRFLOW_VAR_{str(entry['variable_name']).upper()}"] = str(entry["variable_value"])
    return lines


def project_environment(given: Mapping[str, str] | None = None, path: Path = SETTINGS_FILE) -> dict[str, str]:
    """`given` (os.environ by default) with the project's variables added; what `given` sets wins. For processes we start ourselves."""
    full = dict(os.environ if given is None else given)
    for name, default in declared(path).items():
        if not full.get(name):
            full[name] = _REFERENCE.sub(lambda match: full.get(match[1], ""), default)
    full["PYTHONPATH"] = python_path(full.get("PYTHONPATH", ""))
    return full


def python_path(current: str) -> str:
    """The repository's root before whatever is there: `include` must be importable in every Airflow process."""
    others = [entry for entry in current.split(os.pathsep) if entry and entry != str(ROOT)]
    return os.pathsep.join([str(ROOT), *others])


def _quoted(value: str) -> str:
    """`value` as it may stand inside `"${X:-…}"`, in bash, dash and zsh; `${NAME}` stays a reference."""
    parts = _REFERENCE.split(value)
    # A lone single quote inside the braces is a syntax error in bash, escaped or not.
    literal = [re.sub(r'([\\"$`}])', r"\\\1", part).replace("'", r"$(printf \\047)") for part in parts[::2]]
    references = ["${" + name + "}" for name in parts[1::2]]
    return "".join(text for pair in zip(literal, [*references, ""], strict=True) for text in pair)


def export_lines(path: Path = SETTINGS_FILE) -> Iterator[str]:
    """The lines `make -s env` prints."""
    for name, default in declared(path).items():
        yield f'export {name}="${{{name}:-{_quoted(default)}}}"'
    yield f'export PYTHONPATH="{_quoted(python_path(os.environ.get("PYTHONPATH", "")))}"'


def main() -> None:
    sys.stdout.write("\n".join(export_lines()) + "\n")


if __name__ == "__main__":
    main()
