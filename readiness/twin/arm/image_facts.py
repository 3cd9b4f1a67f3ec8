"""What an image brings along: operating system, generation, and whether Trusted Launch can be used with it.

Learn, "Trusted Launch - FAQ": the feature `SecurityType` of an image definition, or of a Marketplace image,
says what it supports; an image without that feature supports Standard machines only. A Marketplace image the
seed does not hold is judged by its names, as the publishers form them: good enough to make a plausible disk,
and never a reason to refuse.
"""

from dataclasses import dataclass
from typing import Any

from readiness.twin.documents import Json, duplicate, look, same
from readiness.twin.state import State, place

_MARKET = "/subscriptions/{}/providers/Microsoft.Compute/locations/{}/publishers/{}/artifacttypes/vmimage"
_GENERATION_2 = ("gen2", "-g2", "azure-edition", "win11", "win10-22h2", "-cvm", "server-arm64")
_WINDOWS = ("windows", "visualstudio", "sqlserver")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """An image, as far as a machine made from it is concerned."""

    os_type: str
    generation: str
    size_gb: int
    security: str | None
    """What its feature `SecurityType` says; empty where it has none, None where the image is not known."""
    is_specialized: bool = False
    reference: Json
    """The reference as a machine shows it, its exact version filled in."""

    @property
    def takes_trusted_launch(self) -> bool | None:
        """Tell whether Trusted Launch can be used with it, or None where that is not known."""
        return None if self.security is None else "trustedlaunch" in self.security.lower()


def facts(
    state: State, reference: Json, *, subscription: str, location: object, os_type: object
) -> ImageFacts:
    """Return what is known of an image, and guess the rest."""
    document = _document(state, reference, subscription=subscription, location=location)
    shown = duplicate(reference)
    if reference.get("publisher"):
        version = str(reference.get("version") or "latest")
        newest = (document or {}).get("name") or "1.0.0"
        shown["exactVersion"] = newest if same(version, "latest") else version
    if document is None:
        return _guessed(reference, shown, os_type)
    properties: Json = document.get("properties") or {}
    features = properties.get("features") or []
    security = [str(each.get("value")) for each in features if same(each.get("name"), "SecurityType")]
    kind = _first(properties, "osType", "osDiskImage.operatingSystem", "storageProfile.osDisk.osType")
    return ImageFacts(
        os_type=str(kind or os_type or "Linux"),
        generation=str(properties.get("hyperVGeneration") or "V1"),
        size_gb=_size(properties, kind),
        security=security[0] if security else "",
        is_specialized=same(properties.get("osState"), "Specialized"),
        reference=shown,
    )


def _first(document: Json, *paths: str) -> Any:
    return next((value for path in paths if (value := look(document, path)) is not None), None)


def _size(properties: Json, kind: Any) -> int:
    known = _first(properties, "storageProfile.osDisk.diskSizeGB", "osDiskImage.sizeInGb")
    return known if isinstance(known, int) else default_size(kind)


def default_size(os_type: Any) -> int:
    """Return the size in GiB of a Marketplace image's disk."""
    return 127 if same(os_type, "Windows") else 30


def _document(state: State, reference: Json, *, subscription: str, location: object) -> Json | None:
    """Return the document that says what an image is: of a gallery, its definition and not a version."""
    image_id = reference.get("id")
    if isinstance(image_id, str):
        words = image_id.split("/")
        lowered = [word.lower() for word in words]
        cut = lowered.index("versions") if "versions" in lowered else len(words)
        return state.find("/".join(words[:cut]))
    if not reference.get("publisher"):
        return None
    versions = "/".join(
        [
            _MARKET.format(subscription, place(location), reference["publisher"]),
            f"offers/{reference.get('offer')}/skus/{reference.get('sku')}/versions",
        ]
    )
    wanted = str(reference.get("version") or "latest")
    if not same(wanted, "latest"):
        return state.find(f"{versions}/{wanted}")
    kind = "microsoft.compute/locations/publishers/artifacttypes/offers/skus/versions"
    # The newest version has the greatest name, number by number.
    known = state.of_kind(kind, versions)
    return max(known, key=lambda each: _numbers(str(each.get("name"))), default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(word) if word.isdecimal() else 0 for word in version.split("."))


def _guessed(reference: Json, shown: Json, os_type: object) -> ImageFacts:
    names = " ".join(str(reference.get(word) or "").lower() for word in ("publisher", "offer", "sku"))
    is_windows = any(word in names for word in _WINDOWS)
    kind = str(os_type or ("Windows" if is_windows else "Linux"))
    is_second = any(word in names for word in _GENERATION_2) or names.endswith(("-lts server", "_lts server"))
    return ImageFacts(
        os_type=kind,
        generation="V2" if is_second else "V1",
        size_gb=default_size(kind),
        security=None,
        reference=shown,
    )
