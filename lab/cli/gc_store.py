"""What no lab on this disk uses of the store that all labs of a user share; only looks."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from lab.cli.gc_find import Garbage
from lab.edge.store import Store

STORE = "data in the shared store that no lab here uses"


def in_store(store: Store, *, unused_since: float, needed: Collection[str]) -> Iterator[Garbage]:
    """What no lab on this disk links to and nobody has touched since, except what is *needed*.

    Args:
        store: where to look.
        unused_since: in seconds since the epoch.
        needed: SHA-256 sums, in hexadecimal.
    """
    for entry in store.entries():
        kept = entry.linked or entry.used > unused_since
        if not kept and os.path.basename(entry.key) not in needed:
            path = os.path.join(store.folder, entry.key)
            yield Garbage(path=path, what=STORE, size=entry.size, stored=entry)
