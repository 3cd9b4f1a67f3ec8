"""Who is at work here: on Azure itself whoever is logged in there, otherwise the user of this machine."""

import getpass
import os
import re
import unicodedata

from msgspec import Struct

from readiness.azure.connect import Endpoint
from readiness.azure.whoami import whoami

NOBODY_NAMED = "(nobody named)"
"""Stands among the authors of a plan whose maker nobody knows: whoever edits it does not take that place."""
_AND = "; "
"""Between the names of those who made a plan; people who type them may leave the space out."""
_NAMELESS = re.compile(r"user \d+")
"""Stands for a user of a machine that has no name for it: of whom nobody knows who that is."""
_GUEST = "#ext#"
"""In the user principal name of a guest, behind its own name with an underscore for the @."""


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who approves or runs."""

    name: str
    object_id: str = ""
    """In Entra; empty where nobody is logged in."""

    @property
    def words(self) -> str:
        """Return the person for records and people."""
        return f"{self.name} (object id {self.object_id})" if self.object_id else self.name

    def is_same_as(self, name: str, object_id: str = "") -> bool:
        """Tell whether a record speaks of this person: by object id where both have one, else by name."""
        if self.object_id and object_id:
            return self.object_id.lower() == object_id.lower()
        return known_as(self.name) == known_as(name)


def known_as(name: str) -> str:
    """Return a name as its owner has it at home, in one letter case.

    A guest of a tenant is `ann_contoso.com#EXT#@tenant.onmicrosoft.com` there and `ann@contoso.com` at home;
    tokens of personal accounts begin with who vouches for them, as in `live.com#ann@example.com`.
    """
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    at_home, is_guest, _ = plain.partition(_GUEST)
    if is_guest:
        user, _, domain = at_home.rpartition("_")
        return f"{user}@{domain}" if user else at_home
    return plain.rpartition("#")[2] or plain


def names_its_authors(author: str) -> bool:
    """Tell whether everybody is named who made a plan: only then somebody else can be told from them."""
    names = [one.strip() for one in author.split(_AND.strip())]
    return all(names) and not any(one == NOBODY_NAMED or _NAMELESS.fullmatch(one) for one in names)


def read_person(words: str) -> Person:
    """Return the person that `Person.words` told of."""
    found = re.fullmatch(r"(.*) \(object id ([^()]+)\)", words)
    return Person(name=found[1], object_id=found[2]) if found else Person(name=words)


def may_be_author(author: str, name: str, object_id: str = "") -> bool:
    """Tell whether the author of a plan may be this person; in doubt it is.

    A plan is made without Azure, often by somebody of whom only the login name of a machine is known: that is
    taken for whoever has it before the @ of a user principal name. Of several each is one.
    """
    names = (one.strip() for one in author.split(_AND.strip()))
    return any(_may_be(one, name, object_id) for one in names if one)


def authors_with(authors: str, another: str) -> str:
    """Return who made a plan once another has edited it: whoever began it stays among them."""
    return _AND.join(dict.fromkeys(one for one in (*authors.split(_AND), another) if one))


def _may_be(author: str, name: str, object_id: str) -> bool:
    known = read_person(author)
    if known.is_same_as(name, object_id) or (object_id and author.lower() == object_id.lower()):
        return True
    login = known_as(known.name).rpartition("\\")[2]
    return not known.object_id and "@" not in login and login == known_as(name).partition("@")[0]


def local_user() -> str:
    """Return the name of this machine's user; some containers have no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def logged_in(endpoint: Endpoint) -> Person:
    """Return who is logged in to Azure.

    Raises:
        CloudError: Nobody is.
    """
    found = whoami(endpoint)
    return Person(name=found.name, object_id=found.object_id)
