"""The operating system profile of a new machine: what is asked of it, and what is kept of it.

Guarantees: no password, custom data, certificate or unattended content is ever kept; what the provider adds
to a profile is added as recorded from it. Templates of the wordings: Learn, "Understand common error messages
when you manage virtual machines in Azure"; the others are recorded by clients of Azure.
"""

import re
from typing import Any

from readiness.twin.documents import Json, duplicate, look, same, section
from readiness.twin.messages import invalid_parameter

_LENGTHS = {"Linux": (6, 72), "Windows": (8, 123)}
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_KINDS_NEEDED = 3
_WINDOWS_NAME = 15
# Learn, "Linux virtual machine FAQ", the usernames that are not allowed; a part of them.
_FORBIDDEN = {
    *("administrator", "admin", "user", "user1", "test", "user2", "test1", "user3", "admin1", "1", "123"),
    *("a", "actuser", "adm", "admin2", "aspnet", "backup", "console", "david", "guest", "john", "owner"),
    *("root", "server", "sql", "support", "support_388945a0", "sys", "test2", "test3", "user4", "user5"),
}
_SECRETS = ("adminPassword", "customData", "secrets")


def without_secrets(profile: Json) -> Json:
    """Return a profile as it may be kept."""
    kept: Json = {name: duplicate(value) for name, value in profile.items() if name not in _SECRETS}
    windows = kept.get("windowsConfiguration")
    if isinstance(windows, dict):
        windows.pop("additionalUnattendContent", None)
    return kept


def check_new(profile: Any, os_type: str, name: str) -> None:
    """Refuse a profile a machine cannot be provisioned from."""
    if not isinstance(profile, dict):
        raise invalid_parameter("Required parameter 'osProfile' is missing (null).", "osProfile")
    for word in ("computerName", "adminUsername"):
        if not profile.get(word) and not (word == "computerName" and name):
            raise invalid_parameter(
                f"Required parameter 'osProfile.{word}' is missing (null).", f"osProfile.{word}"
            )
    if str(profile["adminUsername"]).lower() in _FORBIDDEN:
        raise invalid_parameter("The Admin Username specified is not allowed.", "adminUsername")
    computer = str(profile.get("computerName") or name)
    if os_type == "Windows" and (len(computer) > _WINDOWS_NAME or computer.isdecimal()):
        raise invalid_parameter(
            f"Windows computer name cannot be more than {_WINDOWS_NAME} characters long, be entirely "
            "numeric, or contain the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . "
            "' \" , < > / ?.",
            "computerName",
        )
    _check_login(profile, os_type)


def _check_login(profile: Json, os_type: str) -> None:
    password = profile.get("adminPassword")
    if os_type == "Windows" and not password:
        raise invalid_parameter("Required parameter 'adminPassword' is missing (null).", "adminPassword")
    linux = profile.get("linuxConfiguration")
    has_key = bool(look(linux, "ssh.publicKeys"))
    is_closed = look(linux, "disablePasswordAuthentication") is True
    if os_type == "Linux" and not has_key and (is_closed or not password):
        raise invalid_parameter(
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
            "linuxConfiguration",
        )
    if password and not (os_type == "Linux" and is_closed):
        _check_password(str(password), os_type)


def _check_password(password: str, os_type: str) -> None:
    low, high = _LENGTHS.get(os_type, _LENGTHS["Linux"])
    kinds = sum(re.search(kind, password) is not None for kind in _KINDS)
    if not low <= len(password) <= high or kinds < _KINDS_NEEDED:
        raise invalid_parameter(
            f"The supplied password must be between {low}-{high} characters long and must satisfy at least "
            f"{_KINDS_NEEDED} of password complexity requirements from the following: 1) Contains an "
            "uppercase character 2) Contains a lowercase character 3) Contains a numeric digit 4) Contains a "
            "special character 5) Control characters are not allowed",
            "adminPassword",
        )


def completed(profile: Json, os_type: str, name: str) -> Json:
    """Return the profile a new machine shows: without secrets, and with what the provider adds."""
    shown = without_secrets(profile)
    shown.setdefault("computerName", name)
    own = section(shown, "windowsConfiguration" if same(os_type, "Windows") else "linuxConfiguration")
    if same(os_type, "Windows"):
        own.setdefault("enableAutomaticUpdates", True)
        patches = {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault"}
    else:
        own.setdefault("disablePasswordAuthentication", False)
        patches = {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}
    own.setdefault("provisionVMAgent", True)
    own["patchSettings"] = patches | (own.get("patchSettings") or {})
    shown |= {"secrets": []}
    shown.setdefault("allowExtensionOperations", True)
    shown.setdefault("requireGuestProvisionSignal", True)
    return shown
