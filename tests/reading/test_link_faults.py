"""Names that mean nothing where they stand: each fault points at the words and says what to write."""

from __future__ import annotations

import pytest
from linked import faults, told

BASE = """
vars: {lr: 0.1, team: {lead: ann}, layers: [1, 2], my-var: 1}
secrets: {hub_token: {env: HUB_TOKEN}}
steps:
  env: {kind: environment, requirements: [keras]}
  data: {kind: dataset, url: "https://example.com/x.npz"}
  my-step: {kind: command, command: "true"}
  grid:
    kind: training
    matrix: {lr: [0.1, 0.2]}
    parameters: {lr: "{{ matrix.lr }}", deep: {a: 1}}
    command: [python, train.py, "{{ parameters.lr }}", "{{ parameters.deep.a }}"]
  x: {kind: command, STEP}
"""


@pytest.mark.parametrize(
    ("step", "pointed", "summary", "help"),
    [
        # names
        ("{{ var.lr }}", "", "`var` is not known here", "write `vars` for `var`"),
        ("{{ varz.lr }}", "", "`varz` is not known here", "did you mean `vars`?"),
        ("{{ lr }}", "", "`lr` is not known here", "write `vars.lr`"),
        ("{{ data.outputs.path }}", "", "`data` is not known", "`steps.data.outputs.X`"),
        ("{{ item.x }}", "", "`item` is not known here", "write `matrix` for `item`"),
        ("{{ zzz }}", "", "`zzz` is not known here", "names here: env, lab, matrix, "),
        ("{{ hub_token }}", "", "`hub_token` is not known", "write `secrets.hub_token`"),
        ("{{ vars.lrr }}", "", "`vars` has no `lrr`", "did you mean `lr`?"),
        ("{{ vars['lrr'] }}", "", "`vars` has no `lrr`", "did you mean `lr`?"),
        ("{{ vars.team.led }}", "", "has no `led`", "did you mean `lead`?"),
        ("{{ vars.layers[7] }}", "", "has 2 elements", "[0]"),
        ("{{ vars.my-var }}", "", "read as a subtraction", "write `vars['my-var']`"),
        ("{{ env.HOMME }}", "", "`HOMME` is not set", "did you mean `HOME`?"),
        ("{{ env.CI }}", "", "`CI` is not set", "{{ env.CI | default('') }}"),
        ("{{ lab.nam }}", "", "`lab` has no `nam`", "did you mean `name`?"),
        ("{{ step.nam }}", "", "`step` has no `nam`", "did you mean `name`?"),
        ("{{ matrix.lr }}", "", "the step has no `matrix`", "write `vars.lr`"),
        ("{{ parameters.lr }}", "", "has no `parameters`", "write `vars.lr`"),
        ("{{ outputs.x }}", "", "known only in its `require`", "steps.NAME.outputs.X"),
        ("{{ recipes.kf.outputs.x }}", "", "no recipe `kf`", "under `recipes`"),
        # steps
        ("{{ steps.dta.outputs.path }}", "", "there is no step `dta`", "did you mean `data`?"),
        ("{{ steps.zzz.outputs.path }}", "", "there is no step `zzz`", "the steps are data, env"),
        ("{{ steps.data.path }}", "", "`steps.data` has no `path`", "write `steps.data.outputs.path`"),
        ("{{ steps.data.output.path }}", "", "has no `output`", "write `steps.data.outputs.path`"),
        ("{{ steps.data }}", "", "is a step, no value", "write `steps.data.outputs.X`"),
        ("{{ steps }}", "", "which step is meant is not written", "write steps.NAME"),
        ("{{ steps[env.HOME].outputs.x }}", "steps", "no step `/home/ann`", "the steps are"),
        ("{{ steps[steps.data.outputs.x].outputs.x }}", "steps", "which step is meant is not written", "steps.NAME"),
        ("{{ steps.my-step.outputs.x }}", "steps.my-step", "read as a subtraction", "write `steps['my-step']`"),
        ("{{ steps.grid.outputs.a.b }}", "", "is a list, one value for each", "`steps.grid['lr=0.1'].outputs.a.b`"),
        ("{{ steps.data['lr=1'].outputs.path }}", "", "no `lr=1`", "write `steps.data.outputs.path`"),
        ("{{ steps.grid.path }}", "", "has no `path`", "write `steps.grid.outputs.path`"),
        ("{{ steps.grid['lr=0.3'].outputs.a }}", "", "no instance 'lr=0.3'", "`lr=0.1`"),
        ("{{ steps.grid['lr=0.1'].a }}", "", "has no `a`", "write `steps.grid['lr=0.1'].outputs.a`"),
        ("{{ steps.grid[steps.data.outputs.k].outputs.a }}", "steps.grid", "not known before the run", "`matrix`"),
        ("{{ steps.data['lr=0.1'].outputs.a }}", "", "has no `lr=0.1`", "`steps.data.outputs"),
        # secrets
        ("{{ secrets.hub_tokn }}", "", "there is no secret `hub_tokn`", "did you mean `hub_token`?"),
        ("{{ secrets.zzz }}", "", "there is no secret `zzz`", "secrets: {zzz: {env: ZZZ}}"),
        ("{{ secrets.hub_token }}", "", "cannot be used in `command`", 'env: {HUB_TOKEN: "{{ secrets.hub_token }}"}'),
        ("{{ secrets }}", "", "which secret is meant", "secrets.NAME"),
        # templates
        ("{{ a b }}", "", "not an expression", "operator between"),
        ("{{ vars.lr | rund }}", "rund", "there is no filter `rund`", "did you mean `round`?"),
        ("{% if vars.lr %}a{% endif %}", "{% if vars.lr", "`{% if %}` is not allowed", "its `when`"),
        ("${{ vars.lr }}", "${{", "another tool's spelling", "`{{ … }}`"),
    ],
)  # fmt: skip
def test_in_a_command(step: str, pointed: str, summary: str, help: str) -> None:
    command = f'command: "echo {step}"'
    [fault] = told(BASE.replace("STEP", command))
    at, said, teach = fault.split(" | ", 2)
    assert at == (pointed or step.removeprefix("{{ ").removesuffix(" }}"))
    assert summary in said
    assert help in teach


@pytest.mark.parametrize(
    ("step", "pointed", "summary", "help"),
    [
        ("command: x, needs: dta", "dta", "there is no step 'dta'", "did you mean `data`?"),
        ("command: x, needs: [env, dta]", "dta", "there is no step 'dta'", "did you mean `data`?"),
        ("command: x, needs: ['grid[lr=1]']", "'grid[lr=1]'", "no instance 'lr=1'", "lr=0.1"),
        ("command: x, needs: ['data[lr=1]']", "'data[lr=1]'", "'data' has no matrix", "write 'data'"),
        ("command: x, needs: x", "x", "'x' waits for itself", "take one of these"),
        ("command: x, environment: data", "data", "of kind environment, and 'data' is a", "kind: environment"),
        ("command: x, environment: evn", "evn", "there is no step 'evn'", "did you mean `env`?"),
        ("command: x, when: vars.lrr > 1", "vars.lrr", "`vars` has no `lrr`", "`lr`"),
        ("command: x, when: '1 > {{ 1 }}'", "'1 > {{ 1 }}'", "`when` is one expression", "inside the braces"),
        ("command: x, when: vars.lr >", "vars.lr >", "not an expression", ""),
        ("command: x, when: secrets.hub_token", "secrets.hub_token", "cannot be used in `when`", "`env` and `stdin`"),
        ("command: x, require: [outputs.x > vars.lrr]", "vars.lrr", "`vars` has no `lrr`", "`lr`"),
        ("command: x, require: [steps.x.outputs.y > 1]", "steps.x.outputs.y", "own result is `outputs`", "`outputs.y`"),
        ("command: x, require: [output.y > 1]", "output.y", "`output` is not known", "write `outputs` for `output`"),
        ("command: x, env: {A: '{{ vars.lrr }}'}", "vars.lrr", "`vars` has no `lrr`", "`lr`"),
        ("command: x, env: {A: '{{ secrets.hub_token | upper }}'}", "secrets.hub_token", "handed over as it is", "`~`"),
        ("command: x, env: {A: '{{ secrets.hub_token[:4] }}'}", "secrets.hub_token", "handed over as it is", "`~`"),
        ("command: x, env: {A: '{{ 1 if secrets.hub_token else 2 }}'}", "secrets.hub_token", "handed over", "`if`"),
        ("command: x, env: {A: '{{ (secrets.hub_token | fromjson).a }}'}", "secrets.hub_token", "handed over", "`~`"),
        ("command: x, stdin: '{{ secrets.hub_token | tojson | b64encode }}'", "secrets.hub_token", "handed", "once"),
        ("command: x, env: {A: '{{ env.HUB_TOKEN }}'}", "env.HUB_TOKEN", "is the secret `hub_token`", "secrets.hub"),
        ("command: 'x {{ env.HUB_TOKEN }}'", "env.HUB_TOKEN", "is the secret `hub_token`", "`env` or `stdin`"),
        ("command: x, inputs: ['{{ vars.lrr }}']", "vars.lrr", "`vars` has no `lrr`", "`lr`"),
        ("command: x, inputs: ['{{ secrets.hub_token }}']", "secrets.hub_token", "used in `inputs`", "env: {HUB_"),
        ("command: x, artifacts: {a: '{{ vars.lrr }}'}", "vars.lrr", "`vars` has no `lrr`", "`lr`"),
        ("command: 'echo {{ steps.x.outputs.y }}'", "steps.x.outputs.y", "'x' waits for itself", ""),
    ],
)  # fmt: skip
def test_elsewhere_in_a_step(step: str, pointed: str, summary: str, help: str) -> None:
    [fault] = told(BASE.replace("STEP", step))
    at, said, teach = fault.split(" | ", 2)
    assert at == pointed
    assert summary in said
    assert help in teach


@pytest.mark.parametrize(
    "step",
    [
        "command: x, stdin: '{{ secrets.hub_token }}'",
        "command: x, env: {A: '{{ secrets.hub_token }}', B: 'x{{ secrets.hub_token }}'}",
        "command: x, env: {A: \"{{ 'Bearer ' ~ (secrets.hub_token | trim) }}\"}",
        "command: x, env: {A: \"{{ ('u:' ~ secrets.hub_token) | b64encode }}\"}",
        "command: x, env: {A: \"{{ secrets.hub_token if vars.team else '' }}\"}",
        "command: x, env: {A: '{{ env.CI | default(1) }}', B: '{{ vars.maybe | default(1) }}'}",
        "command: x, env: {A: '{{ env.CI }}'}, when: env.CI is defined",
        "command: 'echo {{ vars }} {{ lab.overlay }} {{ step.dir }} {{ lab.root }} {{ step.name }}'",
        "command: 'echo {{ vars.layers[1] }} {{ vars.team }}'",
        "command: \"echo {{ steps.grid.outputs.a[0].b }} {{ steps.grid.outputs.a | map('float') }}\"",
        "command: 'echo {{ steps.data.outputs.path - vars.lr }}'",
        "command: \"echo {{ '{{ vars.lrr }}' }} $x ${x} ${#x} {%s}\"",
        "command: x, require: ['outputs.a > 1', '{{ outputs.b }}', 'outputs.c == step.name']",
    ],
)
def test_what_is_right(step: str) -> None:
    assert told(BASE.replace("STEP", step)) == []


@pytest.mark.parametrize(
    ("parameters", "pointed", "summary"),
    [
        ("{{ parameters.lrr }}", "parameters.lrr", "`parameters` has no `lrr`"),
        ("{{ parameters.deep.b }}", "parameters.deep.b", "`parameters.deep` has no `b`"),
        ("{{ matrix.units }}", "matrix.units", "`matrix` has no `units`"),
        ("{{ steps.grid.outputs.x }}", "steps.grid.outputs.x", "steps wait for each other"),
    ],
)
def test_in_a_training_with_a_matrix(parameters: str, pointed: str, summary: str) -> None:
    text = BASE.replace("{{ parameters.lr }}", parameters + "{{ parameters.lr }}")
    found = told(text.replace("STEP", "command: x"))
    if "wait" in summary:
        assert "'grid' waits for itself" in found[0]
        return
    assert [each.split(" | ")[0] for each in found] == [pointed]
    assert summary in found[0]


def test_a_parameter_is_not_made_of_parameters() -> None:
    text = BASE.replace("deep: {a: 1}", "deep: {a: '{{ parameters.lr }}'}")
    [fault] = told(text.replace("STEP", "command: x"))
    assert fault.startswith("parameters.lr | a parameter cannot be made of the step's parameters")


@pytest.mark.parametrize(
    ("value", "pointed", "summary"),
    [
        ("{{ steps.dta.outputs.x }}", "steps.dta.outputs.x", "there is no step `dta`"),
        ("{{ step.dir }}", "step.dir", "`step` is known only inside a step"),
        ("{{ secrets.hub_token }}", "secrets.hub_token", "a secret cannot be used in `outputs`"),
        ("{{ vars.lrr }}", "vars.lrr", "`vars` has no `lrr`"),
        ("{{ a b }}", "a b", "not an expression"),
    ],
)
def test_in_the_labfiles_outputs(value: str, pointed: str, summary: str) -> None:
    [fault] = told(BASE.replace("STEP", "command: x") + f'\noutputs: {{a: 1, b: "{value}"}}\n')
    assert fault.startswith(pointed + " | ")
    assert summary in fault


def test_faults_in_block_texts_are_found_on_their_line() -> None:
    [first, second] = faults(
        """
        steps:
          x:
            kind: command
            command: |
              echo {{ vars.a }}
              echo b {{ steps.y.outputs.x
                ~ vars.c }}
            when: >
              1 == 1
        vars: {a: 1}
        """
    )
    assert first.span is not None
    assert second.span is not None
    assert (first.span.line, first.span.column) == (9, 17)
    assert (second.span.line, second.span.column) == (10, 11)


def test_all_faults_are_told_at_once_in_the_order_of_the_text() -> None:
    text = BASE.replace(
        "STEP", "needs: nix, command: 'a {{ vars.lrr }} {{ nix }} {{ steps.my-step.x }}', when: a b"
    )
    assert [each.split(" | ")[0] for each in told(text)] == [
        "nix", "vars.lrr", "nix", "steps.my-step", "a b",
    ]  # fmt: skip


def test_a_fault_that_like_copied_says_so() -> None:
    text = BASE.replace("STEP", "command: '{{ vars.lrr }}'") + "  y: {like: x}\n"
    [fault] = faults(text)
    assert fault.notes == ()
    text = BASE.replace("STEP", "command: '{{ parameters.lr }}'").replace(
        "kind: command, c", "kind: training, parameters: {lr: 1}, c"
    )
    text += "  y: {like: x, parameters: {other: 1}}\n"
    [fault] = faults(text)
    assert "copied into 'y' by `like` here" in fault.notes[0][0]


def test_a_cycle_is_told_with_the_reason_of_every_arrow() -> None:
    [fault] = faults(
        """
        steps:
          a: {kind: command, command: "echo {{ steps.c.outputs.x }}"}
          b: {kind: command, command: [cat, in], needs: a, artifacts: {m: out/m}}
          c: {kind: command, command: [cat, out/m/x]}
        """
    )
    assert fault.summary == "steps wait for each other: a -> c -> b -> a"
    assert [text for text, _ in fault.notes] == [
        "'c' reads out/m/x, which 'b' makes",
        "'b' needs 'a'",
    ]
    assert fault.span is not None
    assert fault.span.line == 5


def test_a_cycle_between_instances_is_found() -> None:
    [fault] = faults(
        """
        steps:
          a:
            kind: command
            matrix: {n: [1, 2]}
            command: "echo {{ steps.a['n=' ~ (3 - matrix.n)].outputs.x }}"
        """
    )
    assert "a[n=1] -> a[n=2] -> a[n=1]" in fault.summary
