"""On a full disk what is known can be read, space can be freed, and then work goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.project import LAB, Project

pytestmark = pytest.mark.live

LABFILE = """
labfile: 1
name: full
steps:
  a: {kind: command, command: 'echo a >> "$LEDGER"'}
"""
WITH_MORE = (
    LABFILE
    + """  b: {kind: command, command: 'head -c 500000 /dev/zero > "$LAB_STEP_DIR/big"'}
"""
)
# A disk of three megabytes, which nobody else sees and which goes with this program.
SCRIPT = f"""
set -u
mount -t tmpfs -o size=3m tmpfs disk && mkdir disk/lab && cd disk/lab || exit 99
export LEDGER=$OLDPWD/ledger
said() {{ what=$1; shift; "$@" > "$LEDGER.$what" 2>&1; echo $? > "$LEDGER.$what.code"; }}
cp "$OLDPWD/more.yaml" Labfile.yaml; said first {LAB} apply
cp "$OLDPWD/less.yaml" Labfile.yaml; said second {LAB} apply
head -c 5000000 /dev/zero > filling 2> /dev/null
said status {LAB} status
said plan {LAB} plan --check
said full {LAB} apply --replace a
said gc {LAB} gc --yes
said after {LAB} apply --replace a
said check {LAB} state check
"""


def test_space_is_freed_on_a_full_disk(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "disk").mkdir()
    project.write("less.yaml", LABFILE)
    project.write("more.yaml", WITH_MORE)
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", SCRIPT],
        cwd=tmp_path, env=project.env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if not (tmp_path / "ledger").exists():
        pytest.skip(f"no small disk can be made here: {ran.stderr.strip()}")

    def said(what: str) -> tuple[int, str]:
        return int((tmp_path / f"ledger.{what}.code").read_text()), (
            tmp_path / f"ledger.{what}"
        ).read_text()

    for what in ("first", "second", "status", "plan", "gc", "after", "check"):
        assert said(what)[0] == 0, said(what)
    assert "a  done" in said("status")[1]
    code, text = said("full")
    assert code == 4 and "no space is left" in text and "`lab gc`" in text
    assert "Deleted: 500 kB freed" in said("gc")[1]
    assert (tmp_path / "ledger").read_text() == "a\na\n"
