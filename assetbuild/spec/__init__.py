"""From the text of a spec to a flat list of assets. Pure: it reads files only through the `Reader` it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import ModelTable, Reader, Spec


def load(path: str, reader: Reader, table: ModelTable, *, profile: str | None = None) -> Spec:
    """The spec in the file `path` (relative to the project root, usually "assets.yaml"), with all that it includes, under a
    profile.

    Everything is checked that can be known without a network: shapes, names, circles, ids, outputs, parameters and limits of
    models. Raises SpecError with every problem of all files, sorted by file and place. Missing pictures of the user's are no
    problem.
    """
    from .assemble import assemble  # yaml is 20 ms

    return assemble(path, reader, table, profile)
