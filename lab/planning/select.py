"""Which steps a command is about: ``--only``, ``--exclude``, ``--tags``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lab.model.address import matches
from lab.model.diagnostic import Diagnostic, PlanError, did_you_mean
from lab.model.frozen import dataclass
from lab.model.graph import Graph, closure, turned


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Patterns as given. ``+name`` adds what a step needs, ``name+`` what needs it."""

    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    tags: Sequence[str] = ()
    replace: Sequence[str] = ()

    @property
    def everything(self) -> bool:
        return not (self.only or self.exclude or self.tags)


EVERYTHING = Selection()


def left_out(
    graph: Graph,
    selection: Selection,
    gone: Iterable[str] = (),
    edges: Mapping[str, Iterable[str]] | None = None,
) -> Mapping[str, str]:
    """The addresses that *selection* leaves out, each with the reason in words.

    ``gone`` are recorded steps that are no longer in the Labfile; patterns may pick them too. ``edges`` says
    for each step what it needs, where that is not what the Labfile says.

    Raises:
        PlanError: a pattern picks nothing.
    """
    addresses = [*graph.steps, *gone]
    needs = graph.needs if edges is None else edges
    chosen = picked(needs, selection.only, addresses, "--only")
    excluded = picked(needs, selection.exclude, addresses, "--exclude")
    found: dict[str, str] = {}
    for address in addresses:
        if selection.only and address not in chosen:
            found[address] = "not picked by --only"
        elif address in excluded:
            found[address] = "left out by --exclude"
        elif selection.tags and not _tagged(graph, address, selection.tags):
            found[address] = f"has none of the tags {', '.join(selection.tags)}"
    if selection.tags and len(found) == len(addresses):
        raise _nothing("--tags " + ",".join(selection.tags), _all_tags(graph), "tag")
    return found


def replaced(graph: Graph, selection: Selection, excluded: Mapping[str, str]) -> set[str]:
    """The steps that ``--replace`` picks.

    Raises:
        PlanError: it picks nothing, or only what the rest of the selection leaves out.
    """
    found = picked(graph.needs, selection.replace, list(graph.steps), "--replace")
    if found and found <= excluded.keys():
        first = min(found)
        raise PlanError(
            Diagnostic(
                summary=f"`--replace {','.join(selection.replace)}` picks only steps that are left out",
                detail=f"`{first}`: {excluded[first]}.",
                help="name it in `--only` too, or leave one of the two out",
            )
        )
    return found


def picked(
    needs: Mapping[str, Iterable[str]],
    patterns: Sequence[str],
    addresses: Sequence[str],
    flag: str,
) -> set[str]:
    """The addresses that *patterns* pick, with upstream and downstream where a ``+`` asks for it."""
    found: set[str] = set()
    for pattern in patterns:
        stem = pattern.removeprefix("+").removesuffix("+")
        hits = {address for address in addresses if matches(address, stem)}
        if not hits:
            raise _nothing(f"{flag} {pattern}", addresses, "step")
        upstream = closure(hits, needs) if pattern.startswith("+") else set()
        downstream = closure(hits, turned(needs)) if pattern.endswith("+") else set()
        found |= hits | upstream | downstream
    return found


def _tagged(graph: Graph, address: str, tags: Sequence[str]) -> bool:
    step = graph.steps.get(address)
    return step is not None and bool(set(tags) & set(step.options.tags))


def _all_tags(graph: Graph) -> list[str]:
    return sorted({tag for step in graph.steps.values() for tag in step.options.tags})


def _nothing(asked: str, known: Sequence[str], what: str) -> PlanError:
    word = asked.split(" ", 1)[1].strip("+")
    hint = did_you_mean(word, known)
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return PlanError(
        Diagnostic(
            summary=f"`{asked}` picks nothing",
            detail=f"No {what} of this lab matches. It has: {shown or 'none'}.",
            help=hint,
        )
    )
