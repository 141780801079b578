"""Checks a tree against a shape and settles its types; what is right stays the very same object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lab.kinds.shape_fault import (
    STRUCTURE,
    Fault,
    bad_name,
    explained,
    missing,
    missing_tag,
    none_of,
    several,
    unknown_key,
)
from lab.kinds.shape_scalar import (
    OUTPUTS,
    Settling,
    fits,
    is_template,
    refused,
    settle_scalar,
    settle_step_name,
    settle_text,
)
from lab.kinds.shape_types import (
    Anything,
    Check,
    Choice,
    Either,
    Field,
    Flag,
    Items,
    Nothing,
    Real,
    Record,
    Shape,
    SizeText,
    StepName,
    Table,
    Text,
    TimeText,
    Whole,
)
from lab.kinds.shape_words import expected, subject
from lab.model.address import is_name
from lab.model.never import assert_never
from lab.model.regex import regex
from lab.model.tree import Json, Path

SOLE = r"^\s*\{\{(?![\s\S]*\}\}[\s\S]*\{\{)[\s\S]*\}\}\s*$"
"""A text that is one expression and nothing else; the same in Python and in ECMAScript."""

_SOLE = regex(SOLE)
_NULL = Nothing()


def settle(shape: Shape, value: Json, path: Path, run: Settling) -> Json:
    """Return *value* with its types settled; faults go to *run*."""
    match shape:
        case Text():
            return settle_text(shape, value, path, run)
        case Items():
            return _items(shape, value, path, run)
        case Either():
            return _either(shape, value, path, run)
        case Table():
            return _table(shape, value, path, run)
        case StepName():
            return settle_step_name(shape, value, path, run)
        case Anything():
            return _anything(value, path, run)
        case Record():
            if not isinstance(value, Mapping):
                return refused(shape, value, path, run)
            return settle_fields(shape, value, path, run)
        case Nothing():
            return value if value is None else refused(shape, value, path, run)
        case Whole() | Real() | Flag() | Choice() | TimeText() | SizeText():
            return settle_scalar(shape, value, path, run)
        case _:
            assert_never(shape)


def _items(shape: Items, value: Json, path: Path, run: Settling) -> Json:
    if not isinstance(value, list):
        return _whole(shape, value, path, run)
    item = shape.item
    plain = isinstance(item, Text) and not item.pattern
    made: list[Json] | None = None
    for index, each in enumerate(value):
        if plain and type(each) is str and each and "{" not in each and "\0" not in each:
            continue  # most are such; the rest of this loop takes ten times as long
        settled = settle(item, each, (*path, index), run)
        if settled is not each:
            made = list(value) if made is None else made
            made[index] = settled
    return value if made is None else made


def _table(shape: Table, value: Json, path: Path, run: Settling) -> Json:
    if not isinstance(value, Mapping):
        return _whole(shape, value, path, run)
    made: dict[str, Json] | None = None
    for key, each in value.items():
        if run.templates and ("{{" in key or (shape.names and not is_name(key))):
            run.faults.append(bad_name(key, (*path, key)))
        settled = settle(shape.item, each, (*path, key), run)
        if settled is not each:
            made = dict(value) if made is None else made
            made[key] = settled
    return value if made is None else made


def _whole(shape: Items | Table, value: Json, path: Path, run: Settling) -> Json:
    """A list may be given whole by one expression; a map may not, for its keys are structure."""
    if not (run.templates and isinstance(value, str) and is_template(value)):
        return refused(shape, value, path, run)
    table = isinstance(shape, Table)
    if table or not _SOLE.match(value):
        alone = "Only one expression, with nothing around it, can give a whole list."
        run.faults.append(
            Fault(
                path=path,
                summary=f"{subject(path)} must be {expected(shape)}, not a template",
                detail=STRUCTURE if table else alone,
                help="write it out, with a template for each value",
            )
        )
    run.dynamic = True
    return value


def _anything(value: Json, path: Path, run: Settling) -> Json:
    if not run.templates:
        return value
    match value:
        case str():
            run.dynamic = run.dynamic or is_template(value)
        case list():
            for index, each in enumerate(value):
                _anything(each, (*path, index), run)
        case Mapping():
            for key, each in value.items():
                if "{{" in key or key == OUTPUTS:
                    run.faults.append(bad_name(key, (*path, key)))
                _anything(each, (*path, key), run)
        case _:
            pass  # other scalars need no rendering
    return value


def settle_field(known: Field, value: Json, path: Path, run: Settling) -> Json:
    """Settle the value of one key; what is wrong with it is told with what the key means."""
    before = len(run.faults)
    settled = settle(known.shape, value, path, run)
    if len(run.faults) > before:
        run.faults[before:] = [explained(each, known, path) for each in run.faults[before:]]
    return settled


def settle_fields(
    record: Record,
    tree: Mapping[str, Json],
    path: Path,
    run: Settling,
    where: Mapping[str, Path] | None = None,
) -> Mapping[str, Json]:
    """Settle a record; *where* gives the places of keys that were not written at *path*."""
    fields = record.fields
    made: dict[str, Json] | None = None
    stray, before = False, len(run.faults)
    for key, value in tree.items():
        at = where[key] if where and key in where else (*path, key)
        known = fields.get(key)
        if known is None:
            run.faults.append(unknown_key(key, fields, at, subject(path)))
            stray = True
            continue
        settled = settle_field(known, value, at, run)
        if settled is not value:
            made = dict(tree) if made is None else made
            made[key] = settled
    if not stray:
        # Where a key is not known it may well be the one that is missing.
        _check_presence(record, tree, path, run, where or {})
    if record.check is not None and len(run.faults) == before:
        run.faults += _taken_together(record.check, tree, path, where or {})
    if run.templates and record.late:
        late = {key: text for key, text in record.late.items() if key not in tree}
        run.dynamic = run.dynamic or bool(late)
        return {**(tree if made is None else made), **late}
    return tree if made is None else made


def _taken_together(
    check: Check, tree: Mapping[str, Json], path: Path, where: Mapping[str, Path]
) -> Iterator[Fault]:
    """Tell what only several keys together show to be wrong."""
    for inner, summary, told in check(tree):
        key = str(inner[0])
        at = (*where.get(key, (*path, key)), *inner[1:])
        yield Fault(path=at, summary=summary, help=told)


def _check_presence(
    record: Record,
    tree: Mapping[str, Json],
    path: Path,
    run: Settling,
    where: Mapping[str, Path],
) -> None:
    for key in record.required:
        if key not in tree:
            run.faults.append(missing(record, key, path))
    for group in record.one_of:
        present = [key for key in tree if key in group and tree[key] is not None]
        if not present:
            run.faults.append(none_of(record, group, path))
        elif len(present) > 1:
            at = where.get(present[-1], (*path, present[-1]))
            run.faults.append(several(group, present, path, at))


def _either(shape: Either, value: Json, path: Path, run: Settling) -> Json:
    if run.templates and isinstance(value, str) and is_template(value):
        return settle(_templated(shape), value, path, run)
    if shape.tagged and isinstance(value, Mapping):
        return _tagged(shape, value, path, run)
    chosen = choose(shape, value)
    if chosen is None:
        return refused(shape, value, path, run)
    return settle(chosen, value, path, run)


def _templated(shape: Either) -> Shape:
    """Choose the shape that a template is taken for: a text, a scalar, a list or a map."""
    texts = (each for each in shape.scalars if isinstance(each, Text))
    return next(texts, shape.choices[0])


def _tagged(shape: Either, value: Mapping[str, Json], path: Path, run: Settling) -> Json:
    word = value.get(shape.tag)
    record = shape.tagged.get(word) if isinstance(word, str) else None
    if record is not None:
        return settle_fields(record, value, path, run)
    if shape.tag in value:
        refused(Choice(tuple(shape.tagged)), word, (*path, shape.tag), run)
        return value
    run.faults.append(missing_tag(shape, path))
    return value


def choose(shape: Either, value: Json) -> Shape | None:
    """Return the alternative that a value belongs to; None when it has none."""
    if isinstance(value, str):
        return _first(shape.scalars, value) or _near(shape.scalars)
    if value is None:
        return _NULL if shape.nothing else None
    if isinstance(value, list):
        return _first(shape.lists, value)
    if isinstance(value, Mapping):
        if OUTPUTS in value:
            return next((each for each in shape.scalars if isinstance(each, StepName)), None)
        tagged = shape.tagged.get(str(value.get(shape.tag)))
        return tagged or _first(shape.maps, value)
    return _first(shape.scalars, value)


def _near(choices: tuple[Shape, ...]) -> Shape | None:
    """Choose what a text comes nearest to, so that its fault can be told: a text of some form."""
    return next((each for each in choices if isinstance(each, Text)), None)


def _first(choices: tuple[Shape, ...], value: Json) -> Shape | None:
    """Choose the only shape, else the first that fits without a change of type, else that fits."""
    if len(choices) < 2:
        return choices[0] if choices else None
    fitting = [each for each in choices if _fits(each, value)]
    native = (each for each in fitting if isinstance(each, Text) is isinstance(value, str))
    return next(native, fitting[0] if fitting else None)


def _fits(shape: Shape, value: Json) -> bool:
    if not isinstance(shape, (Items, Table, Record, Either, Nothing, Anything)):
        return fits(shape, value)
    trial = Settling(templates=True, unknowns=True)
    settle(shape, value, (), trial)
    return not trial.faults
