"""A lab in which every kind of step has come to every sort of end; its state is kept and must go on for ever.

Run it only for a new format: ``PYTHONPATH=tests python tests/state_fixtures/shapes.py shapes-vN``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from project import Project

HERE = Path(__file__).parent
LABFILE = """
labfile: 1
name: shapes
secrets: {token: {env: TOKEN}}
steps:
  env: {kind: environment, requirements: requirements.txt}
  data: {kind: dataset, url: source.csv}
  make:
    kind: command
    command: "cp '{{ steps.data.outputs.path }}' made; echo n=3 >> $LAB_OUTPUT"
    artifacts: {made: made}
    destroy: "rm -f by-hand"
  hidden: {kind: command, command: "test -n \\"$TOKEN\\"", env: {TOKEN: "{{ secrets.token }}"}}
  train:
    kind: training
    command: "echo accuracy=0.9; echo {{ matrix.lr }} > '{{ step.dir }}/w'"
    matrix: {lr: [0.1, 0.01]}
    metrics: {from: stdout}
    artifacts: {w: "{{ step.dir }}/w"}
    require: ["{{ outputs.metrics.accuracy > 0.5 }}"]
  fails: {kind: command, command: "test -e mended", needs: make, on_failure: continue}
  slow: {kind: command, command: "touch begun; test -e quick || sleep 60", needs: [fails]}
  adopted: {kind: command, command: "false", artifacts: {there: there}}
  new: {kind: command, command: "echo v=1 >> $LAB_OUTPUT"}
  skipped: {kind: command, command: "true", when: "{{ steps.make.outputs.n > 5 }}"}
  kept: {kind: command, command: "true", protect: true, needs: new}
"""


def files(project: Project) -> None:
    """What the lab reads."""
    project.env["TOKEN"] = "a-secret-of-the-fixture"
    project.labfile(LABFILE)
    project.write("Labfile.prod.yaml", "vars: {}\n")
    project.write("requirements.txt", "")
    project.write("source.csv", "a,b\n1,2\n")
    project.write("there", "by hand")


def live(project: Project) -> None:
    """All that a state can have gone through."""
    files(project)
    project.labfile(LABFILE.replace("  new:", "  old:").replace("needs: new", "needs: old"))
    project.lab("state", "import", "adopted", "-")
    process = project.popen("apply", "--yes", "-j", "1")
    while not (project.folder / "begun").exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    project.lab("apply", "--only", "old,kept,skipped,hidden,train", "--yes")
    project.lab("apply", "--only", "make", "-e", "prod", "--only", "data")
    project.lab("state", "mv", "old", "new")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = Project(Path(folder) / "p")
        live(made)
        target = HERE / sys.argv[1]
        target.mkdir()
        shutil.copy(made.folder / ".lab" / "state.db", target / "state.db")
