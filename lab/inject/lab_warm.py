"""Starts a process that imports and is then forked, with nothing of its own where programs look."""

import sys

if __name__ == "__main__":
    at_start = frozenset(sys.modules)

    import os

    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from lab_pool import main  # type: ignore[import-not-found]

    del sys.path[0], sys.modules["lab_pool"], sys.modules["lab_become"]
    main(at_start)
