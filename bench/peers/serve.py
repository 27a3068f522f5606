"""The peers' side of the bench: reads one JSON request a line, answers one JSON line.

    python serve.py MODULE

MODULE (best, modern, half_hour, images, blending, photometry) has setup(request) -> {name: function of no arguments}.
The first request, {"threads": n, ...}, is handed to setup and answered with the versions; then {"run": NAME,
"times": n} runs a function that often and answers {"ms": [...], "value": what it returned last}. Between requests it
waits on a read.
"""

import importlib
import json
import sys
import time


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main():
    try:
        module = importlib.import_module(sys.argv[1])
        functions = module.setup(json.loads(sys.stdin.readline()))
        answer({"versions": module.VERSIONS})
        for line in sys.stdin:
            request = json.loads(line)
            ms, value = [], None
            for _ in range(request["times"]):
                start = time.perf_counter()
                value = functions[request["run"]]()
                ms.append((time.perf_counter() - start) * 1e3)
            answer({"ms": ms, "value": value})
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
        raise


main()
