"""The page on writing a provider shows the example that is tested, and its code runs."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from lab.provider import Refused
from lab.testing import RealIo, made, task_for

PAGE = Path(__file__).parent.parent.parent / "docs" / "provider.md"


def test_the_provider_on_the_page_works(tmp_path, monkeypatch):
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    (tmp_path / "provider_of_the_page.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    names = vars(importlib.import_module("provider_of_the_page"))
    world = RealIo(tmp_path)
    spec = names["Spec"](name="Ada", times=2)
    outputs = names["apply"](task_for(world, spec), world)
    record = made(world, spec, outputs)
    assert Path(outputs["file"].path).read_text() == "Hello, Ada!\n" * 2
    assert names["observe"](record, world).drift == ()
    names["destroy"](record, world)
    assert names["observe"](record, world) is None
    try:
        names["apply"](task_for(world, names["Spec"](name=" ")), world)
    except Refused as refused:
        assert refused.detail
    else:
        raise AssertionError("nobody was greeted")
