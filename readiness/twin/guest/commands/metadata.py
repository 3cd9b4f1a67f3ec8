"""curl, as far as the instance metadata service: who the machine is, and tokens of its managed identity.

Learn, "How to use managed identities for Azure resources on an Azure VM to acquire an access token": the
header `Metadata: true` is required; without an identity, or with several to choose from, the service answers
400. No other host is reached: a guest of the twin has no network.
"""

import json
from urllib.parse import parse_qsl, urlsplit

from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.guest.shell.process import CommandCode, Process
from readiness.twin.operations import identifier

_HOST = "169.254.169.254"
_NO_HOST = 6
_HTTP_ERROR = 22
_BAD = 400
_TAKES_VALUE = {"-H", "--header", "-o", "--output", "-w", "--write-out", "-m", "--max-time", "--noproxy"}
_TAKES_VALUE |= {"--connect-timeout", "--retry", "-X", "--request"}


def _curl(process: Process) -> int:
    given, letters, address = _options(process)
    is_loud = "s" not in letters or "S" in letters
    parts = urlsplit(address if "//" in address else f"http://{address}")
    if parts.hostname != _HOST:
        if is_loud:
            process.err.write(f"curl: (6) Could not resolve host: {parts.hostname}\n")
        return _NO_HOST
    headers = dict(_header(each) for each in given.get("-H", []))
    status, body = _answer(process, parts.path, dict(parse_qsl(parts.query)), headers)
    if status >= _BAD and "f" in letters:
        if is_loud:
            process.err.write(f"curl: (22) The requested URL returned error: {status}\n")
        return _HTTP_ERROR
    targets = given.get("-o", [])
    if targets:
        process.files.write(process.path(targets[-1]), body)
    else:
        process.out.write(body)
    for form in given.get("-w", []):
        process.out.write(form.replace("%{http_code}", str(status)).replace("\\n", "\n"))
    return 0


_SHORT = {"--header": "-H", "--output": "-o", "--write-out": "-w"}


def _options(process: Process) -> tuple[dict[str, list[str]], str, str]:
    """Return the options with values, the letters of the others, and the address."""
    given: dict[str, list[str]] = {}
    letters, address, args = "", "", list(process.args)
    while args:
        word = args.pop(0)
        if word in _TAKES_VALUE:
            given.setdefault(_SHORT.get(word, word), []).append(args.pop(0))
        elif word.startswith("--"):
            letters += {"--silent": "s", "--fail": "f", "--show-error": "S"}.get(word, "")
        elif word.startswith("-"):
            letters += word[1:]
            if f"-{word[-1]}" in _TAKES_VALUE:
                given.setdefault(f"-{word[-1]}", []).append(args.pop(0))
        else:
            address = word
    return given, letters, address


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip().lower(), value.strip()


def _answer(process: Process, path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
    if not same(headers.get("metadata"), "true"):
        return _refusal("bad_request_102", "Required metadata header not specified")
    if "api-version" not in query:
        return _refusal("bad_request_101", "Required query parameter 'api-version' not specified")
    if path == "/metadata/identity/oauth2/token":
        return _token(process, query)
    words = path.strip("/").split("/")
    if words[:2] != ["metadata", "instance"]:
        return 404, json.dumps({"error": "Not found"})
    found: object = process.session.instance
    for word in words[2:]:
        found = look(found, word)
    if found is None:
        return 404, json.dumps({"error": "Not found"})
    return 200, found if isinstance(found, str) else json.dumps(found)


def _refusal(code: str, message: str) -> tuple[int, str]:
    return _BAD, json.dumps({"error": code, "error_description": message})


def _token(process: Process, query: dict[str, str]) -> tuple[int, str]:
    if "resource" not in query:
        return _refusal("bad_request_103", "Required query parameter 'resource' not specified")
    identity: Json = duplicate(process.session.identity or {})
    assigned: Json = identity.get("userAssignedIdentities") or {}
    chosen: Json | None = None
    if "client_id" in query:
        chosen = next(
            (each for each in assigned.values() if same(each.get("clientId"), query["client_id"])), None
        )
    elif "mi_res_id" in query:
        chosen = next((each for key, each in assigned.items() if same(key, query["mi_res_id"])), None)
    elif "systemassigned" in str(identity.get("type") or "").lower():
        chosen = {"clientId": identifier("client", identity.get("principalId"))}
    elif len(assigned) > 1:
        return _refusal(
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
            "identity in the token request",
        )
    elif assigned:
        chosen = next(iter(assigned.values()))
    if chosen is None:
        return _refusal("invalid_request", "Identity not found")
    expires = int(process.session.now.timestamp()) + 86_399
    # What stands for the token is none: no service of the twin or of anybody takes it.
    body = {
        "access_token": "a-token-of-the-twin",
        "client_id": chosen.get("clientId"),
        "expires_in": "86399",
        "expires_on": str(expires),
        "resource": query["resource"],
        "token_type": "Bearer",
    }
    return 200, json.dumps(body)


COMMANDS: dict[str, CommandCode] = {"curl": _curl}
