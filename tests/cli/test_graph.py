"""What `lab graph` draws."""

from __future__ import annotations

import re
import textwrap

import pytest

from lab.cli.main import main


@pytest.fixture
def draw(tmp_path, capsys, monkeypatch):
    """Writes a Labfile with these steps (name: what they need) and gives what `lab graph` prints."""

    def drawn(steps: str, *words: str) -> str:
        path = tmp_path / "Labfile.yaml"
        path.write_text(
            "labfile: 1\nname: t\nsteps:\n" + textwrap.indent(textwrap.dedent(steps), "  ")
        )
        assert main(["graph", str(path), *words]) == 0
        return capsys.readouterr().out

    return drawn


def chain(*names: str) -> str:
    first = f"{names[0]}: {{kind: command, command: [x]}}\n"
    pairs = zip(names, names[1:], strict=False)
    return first + "".join(
        f"{b}: {{kind: command, command: [x, '{{{{ steps.{a}.outputs.v }}}}']}}\n" for a, b in pairs
    )


DIAMOND = """
a: {kind: command, command: [x]}
b: {kind: command, command: [x, "{{ steps.a.outputs.v }}"]}
c: {kind: command, command: [x, "{{ steps.a.outputs.v }}"]}
d: {kind: command, command: [x, "{{ steps.b.outputs.v }}", "{{ steps.c.outputs.v }}"], needs: a}
"""

MATRIX = """
data: {kind: command, command: [x]}
train:
  kind: command
  matrix: {lr: [1, 2, 3, 4, 5, 6], units: [1, 2, 3, 4, 5]}
  command: [x, "{{ steps.data.outputs.v }}", "{{ matrix.lr }}", "{{ matrix.units }}"]
best: {kind: command, command: [x, "{{ steps.train.outputs.v }}"]}
demo: {kind: command, command: [x, "{{ steps.train['lr=3,units=2'].outputs.v }}"]}
"""


def test_a_diamond(draw):
    assert draw(DIAMOND).splitlines() == [
        "●    a  command",
        "├─●  b  command",
        "● │  c  command",
        "●─╯  d  command",
        "",
        "t: 4 steps; 1 edge that others imply left out (--all-edges)",
    ]


def test_every_edge_is_drawn_where_asked_for(draw):
    text = draw(DIAMOND, "--all-edges")
    assert "left out" not in text
    assert "only after a" in text


def test_a_long_chain_is_one_line_down(draw):
    names = [f"s{number}" for number in range(12)]
    rows = draw(chain(*names)).splitlines()[:12]
    assert rows == [f"●  {name:<3}  command" for name in names]


def test_what_is_not_joined_never_stands_below_a_dot(draw):
    steps = "".join(f"{name}: {{kind: command, command: [x]}}\n" for name in "abcdef")
    rows = draw(steps).splitlines()[:6]
    columns = [row.index("●") for row in rows]
    assert all(one != next_ for one, next_ in zip(columns, columns[1:], strict=False))


def test_order_alone_is_dashed_and_said(draw):
    text = draw(
        """
        a: {kind: command, command: [x]}
        b: {kind: command, command: [x]}
        c: {kind: command, command: [x, "{{ steps.a.outputs.v }}"], needs: b}
        """
    )
    assert "●╌╯  c  command  only after b" in text


def test_order_alone_implies_no_flow_of_outputs(draw):
    text = draw(
        """
        a: {kind: command, command: [x]}
        b: {kind: command, command: [x], needs: a}
        c: {kind: command, command: [x, "{{ steps.a.outputs.v }}"], needs: b}
        """,
        "--format",
        "mermaid",
    )
    assert set(text.splitlines()[-3:]) == {"  n0 -.-> n1", "  n0 --> n2", "  n1 -.-> n2"}


def test_a_matrix_is_one_node(draw):
    text = draw(MATRIX)
    assert "train[lr,units] ×30" in text
    assert text.count("train[") == 2  # the node, and the instance that demo names
    assert "of train[lr=3,units=2]" in text
    assert text.splitlines()[-1] == "t: 33 steps"


def test_instances_can_be_drawn(draw):
    text = draw(MATRIX, "--instances")
    assert text.count("train[lr=") >= 30
    assert "×" not in text


def test_more_lanes_than_fit_become_a_list(draw):
    steps = "a: {kind: command, command: [x]}\n" + "".join(
        f"s{n}: {{kind: command, command: [x, '{{{{ steps.a.outputs.v }}}}']}}\n" for n in range(40)
    )
    steps += (
        "z: {kind: command, command: [x], needs: [" + ", ".join(f"s{n}" for n in range(40)) + "]}\n"
    )
    text = draw(steps)
    assert "●" not in text
    assert "s7   command  ← a" in text
    assert "only after s0, s1, s2 and 37 more" in text


def test_a_selection_is_drawn(draw):
    text = draw(DIAMOND, "--only", "+b")
    assert [row.split()[1] for row in text.splitlines()[:2]] == ["a", "b"]
    assert "t: 2 steps" in text


def test_dot_is_quoted_and_complete(draw):
    text = draw(MATRIX, "--format", "dot")
    assert text.startswith('digraph "t" {')
    nodes = set(re.findall(r'^  ("[^"]+") \[', text, re.M))
    edges = re.findall(r'^  ("[^"]+") -> ("[^"]+")(?: \[style=dashed\])?;$', text, re.M)
    assert nodes == {'"data"', '"train"', '"best"', '"demo"'}
    assert edges
    assert {end for edge in edges for end in edge} <= nodes
    assert text.rstrip().endswith("}")


def test_mermaid_names_nodes_and_quotes_labels(draw):
    text = draw(MATRIX + "x: {kind: command, command: [x], needs: demo}\n", "--format", "mermaid")
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    assert '  n1[["train[lr,units] ×30<br/>command"]]' in lines
    assert any(re.fullmatch(r"  n\d+ -\.-> n\d+", line) for line in lines)
    ids = set(re.findall(r"\b(n\d+)\[", text))
    assert {i for line in lines if "->" in line for i in re.findall(r"n\d+", line)} <= ids


def test_no_row_is_wider_than_a_terminal(draw, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    needs = ", ".join(f"a-rather-long-name-{n}" for n in range(9))
    steps = "".join(f"a-rather-long-name-{n}: {{kind: command, command: [x]}}\n" for n in range(9))
    text = draw(steps + f"last: {{kind: command, command: [x], needs: [{needs}]}}\n")
    assert max(len(line) for line in text.splitlines()) <= 80
