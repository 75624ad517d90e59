"""Start one command, wait for it, tell what it cost: `python -I launch.py FD WORD ...`, JSON to a
file descriptor.

A process inherits the peak memory of the one that starts it (ru_maxrss, getrusage(2)), so what is
measured must be started by something small; this is that something.
"""

import json
import os
import subprocess
import sys
import time

report = int(sys.argv[1])
start = time.perf_counter()
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
wall_s = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
told = {
    "wall_s": wall_s,
    "cpu_s": usage.ru_utime + usage.ru_stime,
    "peak_mib": usage.ru_maxrss / 1024,
    "code": code,
}
os.write(report, json.dumps(told).encode())
child.returncode = code
