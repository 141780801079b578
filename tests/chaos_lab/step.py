"""A step of a random lab: witnesses that it runs alone, works a while, and makes what its words determine.

Its value is a hash of its salt, its input file and the values before it, so that a model can tell it too.
It knows its name from lab alone: a renamed step is the same step.
"""

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--salt")
parser.add_argument("--seconds", type=float)
parser.add_argument("--input")
parser.add_argument("--value", action="append", default=[])  # a value before it
parser.add_argument("--file", action="append", default=[])  # an artifact before it
parser.add_argument("--alone")  # the name of a mutex that it has
parser.add_argument("--fails", type=int, default=0)  # how many attempts fail
parser.add_argument("--daemon", action="store_true")
parser.add_argument("--metric", action="store_true")
parser.add_argument("--out")
args = parser.parse_args()

name, ledger = os.environ["LAB_STEP"], os.environ["CHAOS_LEDGER"]
words = [args.salt, *args.value]
for path in ([args.input] if args.input else []) + args.file:
    with open(path) as file:
        words.append(file.read())
value = hashlib.sha256("|".join(words).encode()).hexdigest()[:12]


def note(what: str) -> None:
    line = f"{what} {os.environ['LAB_RUN']} {name} {value}\n"
    handle = os.open(os.path.join(ledger, "ledger"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.close(handle)


held = []
for lock in [name] + (["mutex-" + args.alone] if args.alone else []):
    held.append(open(os.path.join(ledger, lock + ".lock"), "w"))  # noqa: SIM115 - held until the end
    try:
        fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        note("overlap")
note("start")
if args.daemon:  # of a session of its own, as careless programs leave behind
    subprocess.Popen(["sleep", "60"], start_new_session=True, close_fds=True)
time.sleep(args.seconds)

tries = os.path.join(os.environ["LAB_STEP_DIR"], "tries-" + value)
if args.fails:
    with open(tries, "a+") as file:
        file.write("x")
        file.flush()
        if file.tell() <= args.fails:
            sys.exit(3)
if args.out:
    with open(args.out + ".new", "w") as file:
        file.write(value)
    os.replace(args.out + ".new", args.out)
if args.metric:
    print("score=0.5", flush=True)
with open(os.environ["LAB_OUTPUT"], "a") as file:
    file.write(f"value=v{value}\n")
note("done")
