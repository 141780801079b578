"""A graph in the languages of other tools: DOT for Graphviz, Mermaid for Markdown pages."""

from __future__ import annotations

from lab.report.graph_picture import Picture


def graph_dot(picture: Picture) -> str:
    """A Graphviz digraph; names are quoted, so that any address is one."""
    lines = [
        f"digraph {_quoted(picture.title)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fillcolor="#f4f6f8", fontname="Helvetica"];',
    ]
    for node in picture.nodes:
        label = f"{_escaped(node.title)}\\n{_escaped(node.about)}"
        shape = ", peripheries=2" if node.count > 1 else ""
        lines.append(f'  {_quoted(node.name)} [label="{label}"{shape}];')
    for edge in picture.edges:
        style = " [style=dashed]" if edge.order else ""
        lines.append(f"  {_quoted(edge.upstream)} -> {_quoted(edge.downstream)}{style};")
    return "\n".join([*lines, "}"])


def graph_mermaid(picture: Picture) -> str:
    """A Mermaid flowchart, as GitHub shows it in Markdown."""
    ids = {node.name: f"n{number}" for number, node in enumerate(picture.nodes)}
    lines = ["flowchart LR"]
    for node in picture.nodes:
        label = f'"{_entities(node.title)}<br/>{_entities(node.about)}"'
        shape = f"[[{label}]]" if node.count > 1 else f"[{label}]"
        lines.append(f"  {ids[node.name]}{shape}")
    for edge in picture.edges:
        arrow = "-.->" if edge.order else "-->"
        lines.append(f"  {ids[edge.upstream]} {arrow} {ids[edge.downstream]}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _entities(text: str) -> str:
    """Mermaid ends a label at a quote and takes `<` for HTML; its entities have no ampersand."""
    escaped = text.replace("#", "#35;")
    for char, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        escaped = escaped.replace(char, entity)
    return escaped.replace("\n", " ")
