"""A step of the chaos lab: witnesses that it runs alone, works a while, writes its output at the end."""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("name")
parser.add_argument("--seconds", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=0)
parser.add_argument("--from", dest="source")
parser.add_argument("--grandchild", action="store_true")
parser.add_argument("--stubborn", action="store_true")
args = parser.parse_args()

here = os.environ["LAB_STEP_DIR"]
ledger = os.environ["CHAOS_LEDGER"]
witness = open(  # noqa: SIM115 - held until the end
    os.path.join(ledger, args.name + ".lock"), "w"
)
try:
    fcntl.flock(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    with open(os.path.join(ledger, "overlaps"), "a") as file:
        file.write(args.name + "\n")
with open(os.path.join(ledger, "starts"), "a") as file:
    file.write(f"{args.name} {time.time()}\n")

if args.source and not os.path.exists(args.source):
    sys.exit("the input is not there")
if args.stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if args.grandchild:  # a daemon of its own session, as careless programs leave behind
    script = "sleep 300" if not args.stubborn else "trap '' TERM; while :; do sleep 1; done"
    subprocess.Popen(["sh", "-c", script], start_new_session=True, close_fds=True)

checkpoints = os.environ.get("LAB_CHECKPOINT_DIR")
if args.epochs:
    mark = os.path.join(checkpoints, "epoch")
    done = 0
    if os.path.exists(mark):
        with open(mark) as file:
            done = int(file.read())
    for epoch in range(done + 1, args.epochs + 1):
        time.sleep(0.08)
        with open(mark + ".new", "w") as file:
            file.write(str(epoch))
            file.flush()
            os.fsync(file.fileno())
        os.replace(mark + ".new", mark)
        with open(os.path.join(here, "metrics.jsonl"), "a") as file:
            file.write(json.dumps({"epoch": epoch, "epoch_done": epoch}) + "\n")
        with open(os.path.join(ledger, "epochs"), "a") as file:
            file.write(f"{epoch}\n")
else:
    time.sleep(args.seconds)

with open(os.path.join(here, "out.new"), "w") as file:
    file.write(args.name)
os.replace(os.path.join(here, "out.new"), os.path.join(here, "out"))
