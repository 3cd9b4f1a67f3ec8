"""Who is at work here: on Azure itself whoever is logged in there, otherwise the user of this machine."""

import getpass
import os
import re

from msgspec import Struct

from readiness.azure.connect import Endpoint
from readiness.azure.whoami import whoami

_AND = "; "
"""Between the names of those who made a plan."""


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
        return self.name.lower() == name.lower()


def read_person(words: str) -> Person:
    """Return the person that `Person.words` told of."""
    found = re.fullmatch(r"(.*) \(object id ([^()]+)\)", words)
    return Person(name=found[1], object_id=found[2]) if found else Person(name=words)


def may_be_author(author: str, name: str, object_id: str = "") -> bool:
    """Tell whether the author of a plan may be this person; in doubt it is.

    A plan is made without Azure, often by somebody of whom only the login name of a machine is known: that is
    taken for whoever has it before the @ of a user principal name. Of several each is one.
    """
    return any(_may_be(one, name, object_id) for one in author.split(_AND) if one)


def authors_with(authors: str, another: str) -> str:
    """Return who made a plan once another has edited it: whoever began it stays among them."""
    return _AND.join(dict.fromkeys(one for one in (*authors.split(_AND), another) if one))


def _may_be(author: str, name: str, object_id: str) -> bool:
    known = read_person(author)
    if known.is_same_as(name, object_id) or (object_id and author.lower() == object_id.lower()):
        return True
    before_at = name.partition("@")[0]
    return not known.object_id and "@" not in known.name and known.name.lower() == before_at.lower()


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
