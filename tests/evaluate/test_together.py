"""Many generations side by side, interrupted."""

import subprocess
import sys

INTERRUPTED = """
import signal
from longra.evaluate.together import together

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
for round in range(60):
    signal.setitimer(signal.ITIMER_REAL, 0.05 + round / 5000)
    try:
        for _ in together(None, range(50_000), lambda job, generate: job):
            pass
    except KeyboardInterrupt:
        print("interrupted")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_an_interruption_at_any_moment_leaves_no_thread_waiting() -> None:
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=True)
    assert ran.stdout.count("interrupted") == 60
