"""What `lab init` writes for scripts of many styles, and that it works at the first apply."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import pytest

from lab.cli import init_script
from lab.cli.init_template import DIGITS, template
from lab.cli.labfile import read_labfile
from lab.cli.main import main
from providers.local.training import arguments

ROOT = Path(__file__).resolve().parents[2]


class Folder:
    """A folder with files in it, where `lab init` is run."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._capsys = path, capsys
        self.said = ""

    def write(self, name: str, text: str = "") -> Folder:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return self

    def init(self, *words: str) -> int:
        self._capsys.readouterr()
        code = main(["init", str(self.path), *words])
        self.said = "".join(self._capsys.readouterr())
        return code

    def step(self, *words: str, name: str = "train"):
        """Runs init, reads what it wrote as `lab` does, and gives the spec of the training."""
        assert self.init(*words) == 0, self.said
        self.text = (self.path / "Labfile.yaml").read_text()
        assert self.text.count("\n") <= 25
        read = read_labfile(
            argparse.Namespace(labfile=str(self.path), overlay="", var=[], var_file=[])
        )
        assert read.graph.warnings == ()
        self.graph = read.graph
        return read.graph.steps[name].spec

    def names(self) -> set[str]:
        return {str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path, capsys):
    (tmp_path / "lab").mkdir()
    return Folder(tmp_path / "lab", capsys)


def own_script(folder: Folder) -> Folder:
    for name in ("train.py", "requirements.txt"):
        folder.write(name, (ROOT / "examples" / "own-script" / name).read_text())
    return folder


def argv_of(spec) -> list[str]:
    return [*arguments(spec.get("parameters", {})), *spec.get("args", [])]


def test_the_example_script(folder):
    spec = own_script(folder).step()
    assert spec["script"] == "train.py"
    assert spec["parameters"] == {
        "epochs": 40, "lr": 0.01, "hidden": 16, "activation": "relu", "seed": 0, "verbose": False,
    }  # fmt: skip
    assert spec["args"] == ["--out", "{{ step.dir }}/model.pkl"]
    assert spec["artifacts"] == {"model": "{{ step.dir }}/model.pkl"}
    assert spec["metrics"] == {"from": "stdout"}
    assert folder.graph.steps["env"].spec["requirements"] == "requirements.txt"
    assert set(folder.graph.labfile.outputs) == {"accuracy", "model"}
    assert folder.names() == {"Labfile.yaml", "labfile.schema.json", "train.py", "requirements.txt"}


def test_it_says_what_it_understood_and_what_is_next(folder):
    own_script(folder).init()
    assert "Wrote Labfile.yaml for train.py:" in folder.said
    assert "gets what --out names" in folder.said
    assert f"Next: `cd {folder.path}`, `lab plan`, then `lab apply`" in folder.said
    assert max(map(len, folder.said.splitlines()[:-1])) <= 80


def test_the_script_is_never_run(folder):
    folder.write("train.py", "import argparse\nopen('ran', 'w')\nraise SystemExit(3)\n")
    assert folder.init() == 0
    assert "ran" not in folder.names()


def test_editors_find_the_schema_beside_it(folder):
    own_script(folder).init()
    first = (folder.path / "Labfile.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=./labfile.schema.json"
    assert (folder.path / "labfile.schema.json").is_file()


@pytest.mark.parametrize("name", ["Labfile.yaml", "Labfile.yml"])
def test_a_labfile_that_is_there_stays(folder, name):
    own_script(folder).write(name, "mine")
    before = folder.names()
    assert folder.init() == 2
    assert "overwrites nothing" in folder.said
    assert folder.names() == before
    assert (folder.path / name).read_text() == "mine"


def test_a_schema_that_is_there_stays(folder):
    own_script(folder).write("labfile.schema.json", "{}")
    assert folder.init() == 0
    assert (folder.path / "labfile.schema.json").read_text() == "{}"


# --- flags --------------------------------------------------------------------------------------


def flags(folder: Folder, *lines: str, after: str = "") -> dict:
    text = "import argparse\np = argparse.ArgumentParser()\n" + "\n".join(lines)
    return folder.write("train.py", text + "\nargs = p.parse_args()\n" + after).step()


def test_defaults_of_many_types(folder):
    spec = flags(
        folder,
        'p.add_argument("--batch-size", "-b", type=int, default=2 ** 6)',
        'p.add_argument("--layers", type=int, nargs="+", default=[64, 32])',
        'p.add_argument("--decay", type=float, default=-1e-5)',
        'p.add_argument("--no-cuda", action="store_true")',
        'p.add_argument("--title", default="a: b, c")',
        'p.add_argument("--opt", choices=["adam", "sgd"], default="adam")',
        'p.add_argument("--yes", default="yes")',
    )
    assert spec["parameters"] == {
        "batch-size": 64, "layers": [64, 32], "decay": -1e-05, "no-cuda": False,
        "title": "a: b, c", "opt": "adam", "yes": "yes",
    }  # fmt: skip
    assert argv_of(spec)[:6] == ["--batch-size", "64", "--layers", "64", "32", "--decay=-1e-05"]


def test_what_the_text_does_not_tell_is_left_to_the_script(folder):
    spec = flags(
        folder,
        "import os",
        'p.add_argument("--home", default=os.environ.get("HOME"))',
        'p.add_argument("--resume", default=None)',
        'p.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)',
        'p.add_argument("--tag", action="append", default=[])',
        'p.add_argument("-v", action="count")',
        'p.add_argument("--lr", type=float, default=0.1)',
    )
    assert spec["parameters"] == {"lr": 0.1}
    assert "args" not in spec
    assert "# left as train.py has it: --home --resume --compile --tag -v" in folder.text


def test_constants_and_paths_are_worked_out(folder):
    spec = flags(
        folder,
        "import os",
        "from pathlib import Path",
        "EPOCHS = 3 * 10",
        "OUT = Path('results') / 'run'",
        'p.add_argument("--epochs", type=int, default=EPOCHS)',
        'p.add_argument("--out", type=Path, default=OUT / "model.pt")',
        'p.add_argument("--save", default=os.path.join("out", "best.pkl"))',
        after="open(args.out, 'wb'); open(args.save, 'wb')",
    )
    assert spec["parameters"] == {"epochs": 30}
    assert spec["args"] == [
        "--out", "{{ step.dir }}/model.pt", "--save", "{{ step.dir }}/best.pkl",
    ]  # fmt: skip
    assert set(spec["artifacts"]) == {"model", "best"}


def test_folders_that_the_script_makes(folder):
    spec = flags(
        folder,
        "import os",
        'p.add_argument("--output-dir", default="results")',
        'p.add_argument("--log_dir", default="logs")',
        'p.add_argument("--checkpoint_dir", default="ckpt")',
        'p.add_argument("--log-interval", type=int, default=10)',
        'p.add_argument("--save-every", type=int, default=1)',
        after="os.makedirs(args.output_dir, exist_ok=True)",
    )
    assert spec["args"] == [
        "--output-dir", "{{ step.dir }}/results",
        "--log_dir", "{{ step.dir }}/logs",
        "--checkpoint_dir", "{{ step.dir }}/checkpoint",
    ]  # fmt: skip
    assert spec["artifacts"] == {"results": "{{ step.dir }}/results"}
    assert spec["parameters"] == {"log-interval": 10, "save-every": 1}


def test_folders_that_the_script_expects_to_be_there(folder):
    spec = flags(
        folder,
        'p.add_argument("--model-dir", default="models")',
        after="open(args.model_dir + '/model.bin', 'w')",
    )
    assert spec["args"] == ["--model-dir", "{{ step.dir }}"]


def test_an_output_that_nothing_is_seen_to_write_is_no_artifact(folder):
    spec = flags(folder, 'p.add_argument("--output", default="model.pt")')
    assert spec["args"] == ["--output", "{{ step.dir }}/model.pt"]
    assert "artifacts" not in spec


def test_what_is_read_stays_where_it_is(folder):
    folder.write("data/train.csv", "1")
    spec = flags(
        folder,
        'p.add_argument("--train-csv", default="data/train.csv")',
        'p.add_argument("--data-dir", default="./downloads")',
        'p.add_argument("--model", default="start.pt")',
        after="open(args.train_csv); open(args.model)",
    )
    assert spec["args"] == ["--train-csv", "data/train.csv"]
    assert folder.graph.steps["train"].inputs == ("data/train.csv",)
    assert "--data-dir --model" in folder.text


def test_a_variable_that_is_called_like_a_flag_is_not_the_flag(folder):
    spec = flags(
        folder,
        'p.add_argument("--net", default="", help="to go on from")',
        'p.add_argument("--data", default="mnist")',
        after="net, data = 1, 2\nopen(str(net), 'w'); open(data, 'w')\nif args.net: open(args.net)",
    )
    assert spec["parameters"] == {"data": "mnist"}
    assert "args" not in spec


def test_what_must_be_given_is_asked_for(folder):
    spec = flags(
        folder,
        'p.add_argument("data")',
        'p.add_argument("--lr", type=float, required=True)',
        'p.add_argument("--mode", required=True, choices=["fast", "slow"])',
    )
    assert spec["args"] == ["--lr", "FILL-IN", "--mode", "fast", "FILL-IN"]
    assert "give DATA, --lr: see FILL-IN in Labfile.yaml" in folder.said
    assert "replace FILL-IN in Labfile.yaml, `lab plan`" in folder.said


def test_lists_do_not_swallow_positional_words(folder):
    spec = flags(
        folder,
        'p.add_argument("--layers", nargs="+", type=int, default=[1, 2])',
        'p.add_argument("outfile", nargs="?", default="m.pt")',
        after="open(args.outfile, 'w')",
    )
    assert spec["args"] == ["{{ step.dir }}/m.pt"]
    assert "parameters" not in spec


def test_a_hundred_flags_fit(folder):
    many = [f'p.add_argument("--some_option_{n}", type=int, default={n})' for n in range(100)]
    spec = flags(folder, *many, 'p.add_argument("--lr", type=float, default=0.1)')
    assert "lr" in spec["parameters"]
    assert len(spec["parameters"]) == 16
    assert "and 77 more" in folder.said


def test_flags_of_a_module_beside(folder):
    folder.write("main.py", "from options import parse\nif __name__ == '__main__':\n    parse()\n")
    folder.write(
        "options.py",
        "import argparse\ndef parse():\n    p = argparse.ArgumentParser()\n"
        "    g = p.add_argument_group('x')\n    g.add_argument('--epochs', type=int, default=3)\n"
        "    return p.parse_args()\n",
    )
    spec = folder.step()
    assert (spec["script"], spec["parameters"]) == ("main.py", {"epochs": 3})


def test_sub_commands_are_written_out(folder):
    folder.write(
        "cli.py",
        """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("--seed", type=int, default=1)
        s = p.add_subparsers()
        e = s.add_parser("evaluate"); e.add_argument("--model", default="m.json")
        t = s.add_parser("train"); t.add_argument("--lr", type=float, default=0.1)
        t.add_argument("--fast", action="store_true")
        args = p.parse_args()
        """,
    )
    spec = folder.step(name="cli")
    assert spec["command"] == [
        "python3", "cli.py", "--seed", "{{ parameters.seed }}", "train",
        "--lr", "{{ parameters.lr }}",
    ]  # fmt: skip


def test_click(folder):
    folder.write(
        "fit.py",
        """
        import click
        @click.command()
        @click.option("--lr", default=0.1)
        @click.option("--batch-size", "batch", type=int, default=32)
        @click.option("--shuffle/--no-shuffle", default=True)
        @click.option("--verbose", is_flag=True)
        @click.option("--output", type=click.Path(), default="out.json")
        def main(lr, batch, shuffle, verbose, output):
            open(output, "w")
        if __name__ == "__main__": main()
        """,
    )
    spec = folder.step(name="fit")
    assert spec["parameters"] == {"lr": 0.1, "batch-size": 32, "verbose": False}
    assert spec["artifacts"] == {"out": "{{ step.dir }}/out.json"}
    assert folder.graph.steps["env"].spec["requirements"] == ["click"]


def test_absl(folder):
    folder.write(
        "main.py",
        """
        from absl import app, flags
        flags.DEFINE_float("lr", 0.1, "rate")
        flags.DEFINE_enum("opt", "adam", ["adam", "sgd"], "which")
        flags.DEFINE_string("workdir", None, "where", required=True)
        if __name__ == "__main__": app.run(print)
        """,
    )
    spec = folder.step()
    assert spec["parameters"] == {"lr": 0.1, "opt": "adam"}
    assert spec["args"] == ["--workdir", "{{ step.dir }}"]
    assert folder.graph.steps["env"].spec["requirements"] == ["absl-py"]


@pytest.mark.parametrize(
    ("source", "args", "comment"),
    [
        (
            "import sys\nn = int(sys.argv[1]) if len(sys.argv) > 1 else 3\nprint(n)",
            None,
            "sys.argv",
        ),
        (
            "import sys\na, b = sys.argv[1], sys.argv[2]\nprint(a)",
            ["FILL-IN", "FILL-IN"],
            "FILL-IN",
        ),
        ("print('x')", None, "takes no flags"),
        ("import fire\nfire.Fire(print)", None, "fire may read some"),
    ],
)
def test_scripts_without_flags(folder, source, args, comment):
    spec = folder.write("train.py", source).step()
    assert spec.get("args") == args
    assert comment in folder.text


# --- what it prints and saves ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'print(f"epoch {1}: loss={x:.3f}")',
        'print("loss=%.3f" % x)',
        'print("loss={:.3f}, n=2".format(x))',
        'print(f"loss={float(x)}")',
    ],
)
def test_metrics_that_are_surely_printed(folder, line):
    spec = folder.write("train.py", f"x = 0.1\n{line}\n").step()
    assert spec["metrics"] == {"from": "stdout"}
    assert folder.graph.labfile.outputs == {"loss": "{{ steps.train.outputs.metrics.loss }}"}


@pytest.mark.parametrize(
    "line",
    [
        'print(f"loss={x}")',  # a tensor shows itself as tensor(0.5)
        'print(f"loss={x:.0%}")',
        'print(f"loss={x:.3f}ms")',
        'print(f"lr={args.lr:.3f}")',
        'print("loss=", x)',
        'if x > 1:\n    print(f"loss={x:.3f}")',
        'def never():\n    print(f"loss={x:.3f}")',
    ],
)
def test_metrics_that_may_not_come_are_not_waited_for(folder, line):
    """lab fails a training whose declared metrics never come; better none than that after a night."""
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', default=0.1)\n"
    spec = folder.write("train.py", f"{text}args = p.parse_args()\nx = 0.1\n{line}\n").step()
    assert "metrics" not in spec


def test_files_that_the_source_names(folder):
    spec = folder.write(
        "train.py",
        "import pickle\nwith open('model.pkl', 'wb') as f:\n    pickle.dump({}, f)\n"
        "def never():\n    open('other.pkl', 'wb')\n",
    ).step()
    assert spec["artifacts"] == {"model": "model.pkl"}


# --- which script, which packages -------------------------------------------------------------------


def test_the_likeliest_script_is_taken_and_others_are_named(folder):
    for name in ("setup.py", "utils.py", "test_train.py", "tests/train.py", "venv/train.py"):
        folder.write(name, "print(1)")
    folder.write("venv/pyvenv.cfg")
    folder.write("evaluate.py", "if __name__ == '__main__': print(1)")
    folder.write("train_model.py", "print(1)")
    assert folder.step()["script"] == "train_model.py"
    assert "not used     evaluate.py, utils.py (`lab init --script`" in folder.said


def test_a_script_can_be_named(folder):
    folder.write("train.py", "print(1)").write("other.py", "print(1)")
    assert folder.step("--script", "other.py", name="other")["script"] == "other.py"


def test_a_named_script_that_is_not_there(folder):
    folder.write("train.py", "print(1)")
    assert folder.init("--script", "trian.py") == 2
    assert "did you mean `train.py`?" in folder.said
    assert folder.init("--script", "../train.py") == 2


def test_files_without_a_script_are_an_error(folder):
    folder.write("models.py", "def net(): pass")
    assert folder.init() == 2
    assert "none of the Python files here looks like a script" in folder.said
    assert folder.names() == {"models.py"}


def test_a_script_with_a_fault_is_an_error(folder):
    folder.write("train.py", "print(1\n")
    assert folder.init() == 2
    assert "train.py cannot be read as Python" in folder.said
    assert "line 1" in folder.said


def test_a_package_is_run_as_a_module(folder):
    folder.write("proj/__init__.py").write("proj/net.py")
    folder.write("proj/train.py", "from .net import x\nfrom proj.net import y\nprint(1)\n")
    assert folder.step()["module"] == "proj.train"


def test_a_script_that_reads_beside_itself_runs_there(folder):
    folder.write("code/util.py", "f = 1").write("code/data.csv", "1")
    folder.write(
        "code/train.py",
        "import argparse\nfrom util import f\np = argparse.ArgumentParser()\n"
        "p.add_argument('--csv', default='data.csv')\nargs = p.parse_args()\nopen(args.csv)\n",
    )
    spec = folder.step()
    assert (spec["script"], spec["cwd"]) == ("code/train.py", "code")
    assert spec["args"] == ["--csv", "data.csv"]
    assert folder.graph.steps["train"].inputs == ("code/data.csv",)


def test_a_source_folder_is_put_on_the_path(folder):
    folder.write("src/ours/__init__.py")
    folder.write("train.py", "import ours\nprint(1)\n").step()
    assert folder.graph.steps["train"].env == {"PYTHONPATH": "{{ lab.root }}/src"}
    assert "env" not in folder.graph.steps


def test_packages_are_guessed_from_imports_only_where_certain(folder):
    folder.write("train.py", "import sklearn.svm, numpy as np, os, strange\nprint(1)\n").step()
    assert folder.graph.steps["env"].spec["requirements"] == ["numpy", "scikit-learn"]
    assert "`strange`" in folder.said


def test_packages_that_are_imported_only_sometimes_are_not_guessed(folder):
    folder.write(
        "train.py",
        """
        import numpy
        LOGS = False
        if LOGS:
            import wandb
        try:
            import torch
        except ImportError:
            import tensorflow
        print(1)
        """,
    ).step()
    assert folder.graph.steps["env"].spec["requirements"] == ["numpy", "torch"]


def test_a_pyproject_with_dependencies(folder):
    folder.write("pyproject.toml", '[project]\nname = "x"\ndependencies = ["numpy"]\n')
    folder.write(".python-version", "3.11.4\n")
    folder.write("train.py", "import numpy\nprint(1)\n").step()
    spec = folder.graph.steps["env"].spec
    assert (spec["requirements"], spec["python"]) == ("pyproject.toml", "3.11")


def test_requirements_that_no_lock_can_hold_are_left_out_and_named(folder):
    folder.write("requirements.txt", "numpy @ file:///croot/numpy  # conda\n-e .\nscipy>=1\n")
    folder.write("train.py", "print(1)\n").step()
    assert folder.graph.steps["env"].spec["requirements"] == ["numpy", "scipy>=1"]
    assert "`-e .`" in folder.said


def test_names_that_yaml_would_misread(folder, capsys):
    odd = Folder(folder.path.parent / "2024 été: no", capsys)
    odd.write("train it.py", "print(1)\n")
    spec = odd.step(name="train")
    assert spec["script"] == "train it.py"
    assert odd.graph.labfile.name.startswith("lab-2024")


def test_hostile_sources_end_in_an_answer(folder):
    deep = "+".join(["1"] * 3000)
    for text in ("(" * 5000 + ")" * 5000, f"x = {deep}\nprint(1)", "x = 1\0", "\0" * 100):
        folder.write("train.py", text)
        assert folder.init() in (0, 2)
        assert "bug" not in folder.said
        (folder.path / "Labfile.yaml").unlink(missing_ok=True)
    folder.write(
        "train.py", "import argparse\nX = 9 ** 9 ** 9 ** 9\nY = 'a' * 10 ** 12\nprint(1)\n"
    )
    assert folder.init() == 0
    assert init_script.find_script(str(folder.path), None) is not None


# --- the first lab ----------------------------------------------------------------------------------


def test_an_empty_folder_gets_the_digits(folder):
    assert folder.init() == 0
    assert folder.names() == {*template(DIGITS), "labfile.schema.json"}
    read = read_labfile(
        argparse.Namespace(labfile=str(folder.path), overlay="", var=[], var_file=[])
    )
    assert list(read.graph.steps) == ["env", "data", "train", "evaluate"]
    assert "examples/" not in (folder.path / "Labfile.yaml").read_text()


def test_a_folder_that_is_not_there_is_made(folder, tmp_path, capsys):
    new = Folder(tmp_path / "a" / "b", capsys)
    assert new.init() == 0
    assert "train.py" in new.names()


def test_the_first_lab_overwrites_nothing(folder):
    folder.write("requirements.txt", "mine")
    assert folder.init() == 2
    assert "requirements.txt would be overwritten" in folder.said
    assert folder.names() == {"requirements.txt"}


def test_the_packaged_digits_are_the_example():
    """If this fails, copy examples/digits over lab/templates/digits, each file with `.txt` behind."""
    example = ROOT / "examples" / "digits"
    packaged = ROOT / "lab" / "templates" / "digits"
    files = {path.name: path.read_text() for path in example.iterdir() if path.is_file()}
    files.pop("env.lock", None)
    assert files == {
        path.name.removesuffix(".txt"): path.read_text() for path in packaged.iterdir()
    }


# --- and it runs --------------------------------------------------------------------------------------


@pytest.mark.live
@pytest.mark.parametrize(
    "source",
    [
        'p.add_argument("--decay", type=float, default=-1e-5)\n'
        'p.add_argument("--layers", type=int, nargs="+", default=[64, 32])\n'
        'p.add_argument("--no-cuda", action="store_true")\n'
        'p.add_argument("--out", default="m.pt")\n'
        "a = p.parse_args(); open(a.out, 'w'); assert a.layers == [64, 32] and a.decay == -1e-5\n"
        'print(f"loss={0.5:.2f}")\n',
        "s = p.add_subparsers(); p.add_argument('--seed', type=int, default=1)\n"
        "t = s.add_parser('train'); t.add_argument('--lr', type=float, default=0.1)\n"
        "a = p.parse_args(); assert (a.seed, a.lr) == (1, 0.1)\n",
        "import os\np.add_argument('--log-dir', default='logs')\n"
        "a = p.parse_args(); os.makedirs(a.log_dir); assert os.path.isabs(a.log_dir)\n",
    ],
)
def test_what_it_writes_works_at_the_first_apply(folder, source):
    text = "import argparse\np = argparse.ArgumentParser()\n" + source
    folder.write("train.py", text).step()
    assert main(["apply", str(folder.path)]) == 0
    assert main(["plan", str(folder.path), "--check"]) == 0
