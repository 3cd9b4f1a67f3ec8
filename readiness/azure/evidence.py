"""What scripts and agents print, made fit to be kept: short, and without whatever looks like a secret. Pure.

Better to hide a harmless word than to keep a password: what stands behind a word such as `password` or
`token` and a separator is hidden, whatever it is.
"""

import re

LONGEST = 2000
HIDDEN = "[hidden]"

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|connection[_-]?string"
    r"|(?:api|access|account|client|private|primary|recovery|secondary|shared|signing|storage|workspace)"
    r"[_ .-]?(?:access[_ .-]?)?(?:key|secret))"
)
_SECRETS = tuple(
    (re.compile(pattern, flags | re.IGNORECASE), shown)
    for pattern, flags, shown in (
        # Of a key whose beginning or end was cut off, the rest is hidden all the same.
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL, HIDDEN),
        (r"\A.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL, HIDDEN),
        (r"(\bauthorization[\"']?\s*[:=]).*", 0, rf"\1 {HIDDEN}"),
        (r"(\bbearer\s+)\S{8,}", 0, rf"\1{HIDDEN}"),
        (r"(://[^/\s:@]+:)[^/\s@]+(?=@)", 0, rf"\1{HIDDEN}"),
        (r"((?:[?&;]|\b)sig=)[^&\s\"']+", 0, rf"\1{HIDDEN}"),
        (rf"({_NAMES}[\"']?\s*[:=]\s*)(\"[^\"\n]*\"?|'[^'\n]*'?)", 0, rf"\1{HIDDEN}"),
        (rf"({_NAMES}\s*=\s*)(?!\[hidden\])[^\s\"']+", 0, rf"\1{HIDDEN}"),
        (rf"({_NAMES}\s*:[ \t]*)(?!\[hidden\])[^\s\"'].*", 0, rf"\1{HIDDEN}"),
        (rf"(--?[\w-]*{_NAMES}[ \t]+)[^\s-]\S*", 0, rf"\1{HIDDEN}"),
        (r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", 0, HIDDEN),
        # What /etc/shadow holds, a client secret of Entra ID, a recovery key of BitLocker, a storage key.
        (r"\$(?:1|2[abxy]?|5|6|7|y|gy)\$[^\s:]+", 0, HIDDEN),
        (r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}", 0, HIDDEN),
        (r"\b(?:\d{6}-){7}\d{6}\b", 0, HIDDEN),
        (r"(?<![\w+/])[\w+/]{86}==", 0, HIDDEN),
        (r"(?<![\w+/])[\w+/]{43}=(?!=)", 0, HIDDEN),
    )
)


def fit_to_keep(text: str, *, longest: int = LONGEST) -> str:
    """Return a text without what looks like a secret, and of a long one its end."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    text = text.strip()
    return text if len(text) <= longest else f"...{text[3 - longest :]}"
