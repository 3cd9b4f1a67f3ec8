"""What is kept of a text: nothing that looks like a secret, and not more than fits."""

import pytest

from readiness.azure.evidence import HIDDEN, LONGEST, fit_to_keep

STORAGE_KEY = "a" * 86 + "=="
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=Hunter2!", "Hunter2!"),
        ("DB_PASSWORD: Hunter2! and more", "and more"),
        ('{"adminPassword": "Hunter 2!", "user": "bob"}', "Hunter 2!"),
        ("'client_secret': 'abc def'", "abc def"),
        ("token = abcdef", "abcdef"),
        ("mysql --password Hunter2!", "Hunter2!"),
        ("AccountName=shop;AccountKey=short;EndpointSuffix=x", "short"),
        (f"the key is {STORAGE_KEY} here", STORAGE_KEY),
        ("https://shop.blob.core.windows.net/c?sv=2024-11-04&se=x&sig=AbC%2Fd%3D", "AbC%2Fd%3D"),
        (f"Authorization: Bearer {JWT}", JWT),
        (f"got {JWT}", JWT),
        ("curl -H 'X: bearer opaque-token-1'", "opaque-token-1"),
        ("https://bob:Hunter2!@example.com/", "Hunter2!"),
        ("bob:$6$salt$hashhashhash:19000:0", "hashhashhash"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn", "b3Blbn"),
        ("MIIEow\n-----END PRIVATE KEY-----", "MIIEow"),
        ("111111-222222-333333-444444-555555-666666-777777-888888", "777777"),
        ("abc8Q~" + "x" * 34, "x" * 34),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    """Of what looks like a password, a key, a token or a signature, nothing is kept."""
    kept = fit_to_keep(text)
    assert secret not in kept
    assert HIDDEN in kept


@pytest.mark.parametrize(
    "text",
    [
        "passwordauthentication no\nkbdinteractiveauthentication no\npermitemptypasswords no",
        "Accepted publickey for bob from 10.0.0.4 port 50000 ssh2: RSA SHA256:abc",
        "disk type: gpt",
        "Exit code: 22: the VM has no system-assigned managed identity",
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-app",
    ],
)
def test_proofs_are_kept(text: str) -> None:
    """What a script proves with stays as it was printed."""
    assert text == fit_to_keep(text)


def test_a_long_text_keeps_its_end() -> None:
    """Of a long text the end is kept, and a secret is hidden before the text is cut."""
    kept = fit_to_keep("x" * 5000 + f"password={'p' * (LONGEST + 9)}\nthe end")
    assert len(kept) <= LONGEST
    assert kept.endswith("the end")
    assert "ppp" not in kept
    assert LONGEST == len(fit_to_keep("x" * 5000))
