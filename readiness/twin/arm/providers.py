"""Resource providers of a subscription and their preview features: GET, lists, register, unregister.

Learn, "Azure resource providers and types" and "Set up preview features": a registration goes through
Registering and takes minutes; some features wait for Microsoft's approval as Pending. A provider nobody
speaks of is registered, for the estates a twin is made from are in use; a feature nobody speaks of is not.
"""

from datetime import datetime, timedelta

from readiness.twin.arm.paging import page
from readiness.twin.documents import Json, duplicate, look
from readiness.twin.messages import ArmError, Response
from readiness.twin.state import SUBSCRIPTION
from readiness.twin.world import Call, Handler, Routes, World

PROVIDER_SECONDS = 60.0
FEATURE_SECONDS = 900.0
"""Encryption at host is reported to take up to twenty minutes."""

NAMESPACES = (
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.GuestConfiguration",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.Maintenance",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.PolicyInsights",
    "Microsoft.RecoveryServices",
    "Microsoft.ResourceGraph",
    "Microsoft.Resources",
    "Microsoft.Security",
    "Microsoft.Storage",
)
FEATURES = {
    "Microsoft.Compute/EncryptionAtHost": False,
    "Microsoft.Compute/UseStandardSecurityType": False,
    "Microsoft.Compute/Gen1ToTLMigrationPreview": False,
    "Microsoft.Compute/TrustedLaunchByDefaultPreview": False,
    "Microsoft.Compute/FlexVMTrustedLaunchUpgrade": True,
}
"""Features that can be asked for, and whether they wait for an approval."""

_STATES = "provider registrations"


def _provider(world: World, call: Call, namespace: str) -> Json:
    own = f"/subscriptions/{call.address.subscription}/providers/{namespace}"
    state = world.state.hidden(_STATES).get(own.lower(), "Registered")
    told: Json = duplicate(world.state.find(own)) or {
        "id": own,
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [],
    }
    told.pop("name", None)
    return told | {"registrationState": state}


def _of_call(call: Call) -> str:
    return next(name for name in NAMESPACES if name.lower() == call.address.kind.split("/")[0])


def get(world: World, call: Call) -> Response:
    """Answer one provider."""
    return Response(200, _provider(world, call, _of_call(call)))


def listed(world: World, call: Call) -> Response:
    """Answer all providers."""
    return page(call, [_provider(world, call, name) for name in NAMESPACES], duplicate)


def _registration(passing: str, lasting: str) -> Handler:
    def answer(world: World, call: Call) -> Response:
        provider = _provider(world, call, _of_call(call))
        ticket = world.admit(call, "providers/register", provider["id"])
        states = world.state.hidden(_STATES)
        key = provider["id"].lower()
        states[key] = passing

        def done(_: datetime) -> None:
            if states[key] == passing:
                states[key] = lasting

        world.timeline.add(call.now + timedelta(seconds=PROVIDER_SECONDS), done)
        return world.finished(ticket, Response(200, _provider(world, call, _of_call(call))))

    return answer


def _feature_id(call: Call, name: str) -> str:
    namespace, _, feature = name.partition("/")
    return (
        f"/subscriptions/{call.address.subscription}/providers/Microsoft.Features/providers/{namespace}"
        f"/features/{feature}"
    )


def _feature(world: World, call: Call, name: str) -> Json:
    found = world.state.find(_feature_id(call, name))
    return {
        "id": _feature_id(call, name),
        "name": name,
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": look(found, "properties.state") or "NotRegistered"},
    }


def _named(world: World, call: Call) -> str:
    wanted = f"{call.address.kind.split('/')[0]}/{call.address.name}"
    for name in FEATURES:
        if name.lower() == wanted.lower():
            return name
    if world.state.find(_feature_id(call, wanted)) is None:
        raise ArmError(404, "FeatureNotFound", f"The feature '{call.address.name}' could not be found.")
    return f"{_of_call(call)}/{call.address.name}"


def feature(world: World, call: Call) -> Response:
    """Answer one feature."""
    return Response(200, _feature(world, call, _named(world, call)))


def features(world: World, call: Call) -> Response:
    """Answer the features of one provider, or of all of them."""
    namespace = "" if call.address.kind == "microsoft.features" else f"{call.address.kind}/"
    names = {name.lower(): name for name in FEATURES}
    for provider in NAMESPACES:
        for seeded in world.state.of_kind(f"{provider.lower()}/features"):
            name = f"{provider}/{seeded['id'].rsplit('/', 1)[-1]}"
            names.setdefault(name.lower(), name)
    found = [_feature(world, call, name) for key, name in names.items() if key.startswith(namespace)]
    return page(call, found, duplicate)


def _switch(passing: str, lasting: str) -> Handler:
    def answer(world: World, call: Call) -> Response:
        name = _named(world, call)
        resource = _feature(world, call, name)
        ticket = world.admit(call, "features/register", resource["id"])
        state = resource["properties"]["state"]
        if state not in (passing, lasting, "Pending"):
            waits = FEATURES.get(name, False) and passing == "Registering"
            resource["properties"]["state"] = "Pending" if waits else passing
            world.state.put(resource)

            def done(_: datetime) -> None:
                if resource["properties"]["state"] == passing:
                    resource["properties"]["state"] = lasting

            world.timeline.add(call.now + timedelta(seconds=FEATURE_SECONDS), done)
        return world.finished(ticket, Response(200, _feature(world, call, name)))

    return answer


_KINDS = tuple(name.lower() for name in NAMESPACES)

ROUTES: Routes = {
    ("GET", SUBSCRIPTION, "providers"): listed,
    ("GET", "microsoft.features", "features"): features,
    **{("GET", kind, ""): get for kind in _KINDS},
    **{("POST", kind, "register"): _registration("Registering", "Registered") for kind in _KINDS},
    **{("POST", kind, "unregister"): _registration("Unregistering", "NotRegistered") for kind in _KINDS},
    **{("GET", kind, "features"): features for kind in _KINDS},
    **{("GET", f"{kind}/features", ""): feature for kind in _KINDS},
    **{("POST", f"{kind}/features", "register"): _switch("Registering", "Registered") for kind in _KINDS},
    **{
        ("POST", f"{kind}/features", "unregister"): _switch("Unregistering", "Unregistered")
        for kind in _KINDS
    },
}
