"""Settings: fields of frozen dataclasses, read from flags, environment and file, and validated all at once.

A setting is one line of a dataclass (`setting`); its flag, its variable, its key in caraway.toml, its form and its line
in docs/configuration.md follow from it. Nothing here needs click or grpc: an app reads its own settings too.
"""

from caraway.settings.client import ClientSettings
from caraway.settings.credentials import Credentials
from caraway.settings.definition import Definition, definitions, environment_of, mask_password, setting
from caraway.settings.kinds import ADDRESS, DURATION, Kind, Unreadable
from caraway.settings.loading import DEFAULT, Loaded, load
from caraway.settings.problems import InvalidSettings, Problem
from caraway.settings.sources import CONFIG_VARIABLE, ConfigFile, find_file

__all__ = [
    "ADDRESS",
    "CONFIG_VARIABLE",
    "DEFAULT",
    "DURATION",
    "ClientSettings",
    "ConfigFile",
    "Credentials",
    "Definition",
    "InvalidSettings",
    "Kind",
    "Loaded",
    "Problem",
    "Unreadable",
    "definitions",
    "environment_of",
    "find_file",
    "load",
    "mask_password",
    "setting",
]
