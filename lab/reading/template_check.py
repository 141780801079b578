"""Whether the filters, tests and functions of an expression exist, and take these arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache

from lab.model.diagnostic import did_you_mean
from lab.reading.template_fault import TemplateFault
from lab.reading.template_filters import FILTERS, FUNCTIONS, TESTS, Entry
from lab.reading.template_nodes import Applied, Chain, Const, Node

TABLES: dict[str, Mapping[str, Entry]] = {
    "filter": FILTERS,
    "test": TESTS,
    "function": FUNCTIONS,
}
# methods and filters of other languages, by what does the same here
_METHODS = {
    "get": "x['key'] | default('other')",
    "items": "x | items",
    "keys": "x | list",
    "values": "x | items | map('last')",
    "startswith": "x is startswith('a')",
    "endswith": "x is endswith('a')",
    "format": "'%s' | format(x)",
    "strip": "x | trim",
    "encode": "x | b64encode",
    "append": "x + [y]",
    "index": "x[0]",
}
_ELSEWHERE = {
    "d": "default",
    "e": "quote",
    "escape": "quote",
    "shellquote": "quote",
    "count": "length",
    "len": "length",
    "size": "length",
    "str": "string",
    "to_json": "tojson",
    "from_json": "fromjson",
    "json": "tojson",
    "bool": "== 'true'",
    "b64enc": "b64encode",
    "b64dec": "b64decode",
    "dictsort": "items | sort",
    "strip": "trim",
    "toJSON": "tojson",
    "fromJSON": "fromjson",
}
_GLOBALS = {
    "lookup": "values come from `vars`, `env` and `secrets`",
    "now": "what a template gives must not depend on the time; let a step print it",
    "toJSON": "write {{ x | tojson }}",
    "fromJSON": "write {{ x | fromjson }}",
    "success": "steps run when what they need succeeded; see `on_failure`",
    "always": "see `on_failure: continue` on the step that may fail",
    "failure": "see `on_failure: continue` on the step that may fail",
    "hashFiles": "files that a step reads are found by lab; list others under `inputs`",
    "len": "write {{ x | length }}",
    "str": "write {{ x | string }}",
    "default": "write {{ x | default(y) }}",
}
# filters whose first argument names another filter or test
_BY_NAME = {"map": "filter", "select": "test", "reject": "test"}
_BY_ATTRIBUTE = ("selectattr", "rejectattr")


def check_applied(node: Applied) -> Applied:
    """*node*, if what it applies exists and takes its arguments.

    Raises:
        TemplateFault: otherwise, with what to write.
    """
    if node.sort == "method":
        raise _no_method(node)
    entry = TABLES[node.sort].get(node.name)
    if entry is None:
        raise _unknown(node.sort, node.name)
    given = len(node.args) + (node.base is not None)
    try:
        _signature(node.sort, node.name).bind(
            None, *([None] * given), **dict.fromkeys(name for name, _ in node.named)
        )
    except TypeError:
        raise TemplateFault(
            f"the {node.sort} `{node.name}` does not take these arguments",
            help=entry.help,
        ) from None
    _check_inner(node)
    return node


@lru_cache(maxsize=256)
def _signature(sort: str, name: str) -> inspect.Signature:
    return inspect.signature(TABLES[sort][name].function)


def _check_inner(node: Applied) -> None:
    """A filter or test that is named by a text, as in ``map('upper')``."""
    if node.sort != "filter":
        return
    sort = _BY_NAME.get(node.name, "")
    named = node.args[0] if sort and node.args else None
    if node.name in _BY_ATTRIBUTE and len(node.args) > 1:
        sort, named = "test", node.args[1]
    if isinstance(named, Const) and named.value not in TABLES[sort]:
        raise _unknown(sort, str(named.value))


def _unknown(sort: str, name: str) -> TemplateFault:
    known = TABLES[sort]
    if sort == "function":
        teach = _GLOBALS.get(name) or did_you_mean(name, known)
        teach = teach or (f"write {{{{ x | {name} }}}}" if name in FILTERS else "")
        others = "the only function is `range`; most things are filters: {{ x | length }}"
    else:
        instead = _ELSEWHERE.get(name) if sort == "filter" else None
        teach = f"write `{instead}`" if instead else did_you_mean(name, known)
        others = f"there are: {', '.join(sorted(known))}"
    return TemplateFault(
        f"there is no {sort} `{name}`",
        help=teach or others,
        expression=name,
    )


def _no_method(node: Applied) -> TemplateFault:
    name = node.name
    instead = _METHODS.get(name) or (f"x | {name}(…)" if name in FILTERS else "")
    return TemplateFault(
        f"`.{name}()` cannot be called: values in templates have no methods",
        help=f"write {{{{ {instead} }}}}"
        if instead
        else "filters do such things: {{ x | length }}",
        expression=_called(node.base, name),
    )


def _called(base: Node | None, name: str) -> str:
    return str(base) if isinstance(base, Chain) and "…" not in str(base) else name
