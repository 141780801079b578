"""What the canary lab runs: a step's program that leaks its secret in one way, and a plug-in that does."""

LEAK = r"""
import base64, json, os, sys, time, urllib.parse

secret, way = os.environ.get("S", ""), sys.argv[1]
raw = secret.encode()


def output(text):
    with open(os.environ["LAB_OUTPUT"], "a") as file:
        file.write(text + "\n")


match way:
    case "stdout":
        print("the token is", secret)
    case "stderr":
        print("the token is", secret, file=sys.stderr)
    case "traceback":
        raise RuntimeError(f"login with {secret} failed")
    case "json":
        print(json.dumps({"token": secret}), json.dumps(secret, ensure_ascii=False))
    case "url":
        print(urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret))
    case "base64":
        for before in ("", "u", "us", "user:"):
            print(base64.b64encode(before.encode() + raw).decode())
            print(base64.urlsafe_b64encode(before.encode() + raw + b":x").decode())
    case "hex":
        print(raw.hex(), repr(raw), repr(secret))
    case "split":
        for at in range(len(raw)):
            os.write(1, raw[at : at + 1])
            time.sleep(0.002)
        os.write(1, b"\n")
    case "output":
        output("token=" + json.dumps(secret))
    case "output_map":
        output(json.dumps({"tokens": {secret: [secret]}}))
    case "output_key":
        output(secret + "=1")
    case "torn_output":
        output('{"token": ' + json.dumps(secret))
        sys.exit(3)
    case "metric":
        print(f"epoch 1/1 {secret}=0.5 loss=0.5")
    case "metric_name":
        with open(os.environ["LAB_METRICS_FILE"], "a") as file:
            file.write(json.dumps({"epoch": 1, secret: 0.5}) + "\n")
        time.sleep(1.5)
    case "artifact":
        os.makedirs("made", exist_ok=True)
        open("made/" + urllib.parse.quote(secret, safe=""), "w").close()
        os.utime("made/" + urllib.parse.quote(secret, safe=""), (1, 1))
        time.sleep(0.3)
    case "argv":
        print("given", len(secret), len(sys.argv))
    case "stdin":
        print("read", sys.stdin.read())
    case "slow":
        time.sleep(2)
    case "own_file":
        with open(os.environ["LAB_STEP_DIR"] + "/mine", "w") as file:
            file.write(secret)
"""

PLUGIN = r'''
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lab.provider import Lifecycle, Refused, leave_in_place, option, unobservable


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Leaks what it is given in every way that a provider has."""

    kind: ClassVar[str] = "gossip"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    token: str = option("A secret.", example="{{ secrets.x }}", secret=True)
    way: str = option("How to leak it.", example="note")


def apply(task: Any, io: Any) -> Mapping[str, Any]:
    token = task.spec.token
    match task.spec.way:
        case "note":
            io.note(f"using {token}", tell=True)
            io.progress(f"signing in with {token}", metrics={token: 1.0})
        case "remember":
            io.remember({"token": token})
        case "refuse":
            raise Refused(f"{token} was refused", f"the server said: {token}")
        case "bug":
            raise KeyError(token)
    return {}


observe, destroy = unobservable, leave_in_place
'''
