#!/usr/bin/env python3
"""The two commands: `python3 lab.py` opens the course, `python3 lab.py test` runs every test.

Needs Python >= 3.11 and nothing else. The first use makes `.venv`, installs exactly what the lock file lists, compiles the kernels
that the first notebooks use, and starts JupyterLab; later uses start at once.

    python3 lab.py                        open JupyterLab on the first notebook
    python3 lab.py test                   all tests
    python3 lab.py test --lane NAME       one lane: lint, unit, nojit, notebooks, exercises, browser
    python3 lab.py test --long            the full counts, too many for every day
    python3 lab.py run COMMAND ...        run something inside the environment
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
LOCKS = {"course": "requirements.lock", "test": "requirements-test.lock"}
OLDEST = (3, 11)
NEEDED_MB = 1500


class Stop(Exception):
    """Set-up cannot go on; the text says what to do."""


# ------------------------------------------------------------------ set-up


def check_python():
    """Old Pythons, and Pythons without venv, are told so."""
    if sys.version_info < OLDEST:
        raise Stop("rtvirt needs Python 3.11 or newer, this is %d.%d: install a newer one and run it on this file, "
                   "for example `python3.12 lab.py`" % sys.version_info[:2])
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Stop("this Python cannot make virtual environments: install its venv module "
                   "(Debian, Ubuntu: `sudo apt install python3-venv`), then run this again") from None


def venv_python():
    """Path of the environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(kind):
    """What the environment depends on: the lock, the project file, the interpreter."""
    sha = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for name in (LOCKS[kind], "pyproject.toml"):
        sha.update((HERE / name).read_bytes())
    return sha.hexdigest()


def installed(kind):
    """True when the environment is complete for this use."""
    try:
        stamps = json.loads((VENV / "rtvirt-stamp.json").read_text())
    except (OSError, ValueError):
        return False
    wanted = fingerprint(kind)
    return venv_python().exists() and stamps.get(kind) == wanted


def stamp(kinds):
    """Note that the environment is complete."""
    temporary = VENV / "rtvirt-stamp.tmp"
    temporary.write_text(json.dumps({kind: fingerprint(kind) for kind in kinds}))
    os.replace(temporary, VENV / "rtvirt-stamp.json")


def prepare(kind):
    """Make or mend the environment, unless it is there already."""
    check_python()
    if installed(kind):
        return
    free = shutil.disk_usage(HERE).free // 1_000_000
    if free < NEEDED_MB:
        raise Stop("only %d MB are free here; set-up needs about %d MB: make room and run this again" % (free, NEEDED_MB))
    started = time.monotonic()
    stale = VENV.exists() and not any(installed(other) for other in LOCKS)
    if stale:
        say("setting up again: the environment is old or incomplete")
        (VENV / "rtvirt-stamp.json").unlink(missing_ok=True)
    if not venv_python().exists():
        say("making .venv")
        shutil.rmtree(VENV, ignore_errors=True)
        check(run([sys.executable, "-m", "venv", str(VENV)]), "cannot make .venv here: check that this folder is writable")
    install(kind)
    site = run([str(venv_python()), "-c", "import site; print(site.getsitepackages()[-1])"], capture=True).stdout.strip()
    (Path(site) / "rtvirt-here.pth").write_text(str(HERE) + "\n")
    overrides = VENV / "share/jupyter/lab/settings/overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    overrides.write_text(json.dumps({"@jupyterlab/apputils-extension:notification":
                                     {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}}))
    check(run([str(venv_python()), "-m", "rtvirt", "warmup"]), "the kernels do not compile: run `python3 lab.py run rtvirt doctor`")
    stamp(["course", "test"] if kind == "test" else ["course"])
    say("ready after %.0f s" % (time.monotonic() - started))


def install(kind):
    """Install exactly what the lock lists, every file checked against its hash."""
    lock = str(HERE / LOCKS[kind])
    say("installing what %s lists (a minute or two; later starts skip this)" % LOCKS[kind])
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(venv_python()), "--no-deps",
                   "--require-hashes", "-r", lock]
        if run(command).returncode == 0:
            return
        say("uv did not manage; trying pip")
    command = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
               "--require-hashes", "-r", lock]
    check(run(command), "the packages could not be installed: check the network connection (and proxy), then run this again; "
                        "what is there already is kept")


def run(command, capture=False, **more):
    """Run a command in this folder."""
    return subprocess.run(command, cwd=HERE, text=True, stdout=subprocess.PIPE if capture else None, **more)


def check(result, advice):
    """Stop with advice when a command failed."""
    if result.returncode != 0:
        raise Stop(advice)


def say(text):
    """A line for the user."""
    print("rtvirt: " + text, flush=True)


# ------------------------------------------------------------------ lanes


def pytest(*arguments):
    """Command line of pytest in the environment."""
    return [str(venv_python()), "-m", "pytest", "-q", *arguments]


WORKERS = ["-n", "2", "--dist", "worksteal"]
LANES = {
    "lint": [[str(venv_python()), "-m", "ruff", "check", "rtvirt", "tests", "lab.py"]],
    "unit": [pytest(*WORKERS, "--doctest-modules", "rtvirt", "tests/unit", "tests/oracle", "tests/golden", "tests/property", "tests/real")],
    "nojit": [pytest(*WORKERS, "tests/unit", "tests/golden", "tests/property", "tests/oracle")],
    "notebooks": [pytest(*WORKERS, "--dist", "loadfile", "--nbval", "--nbval-current-env", "--nbval-sanitize-with",
                         "tests/nbval_sanitize.cfg", "--nbval-cell-timeout", "120", "notebooks", "--ignore", "notebooks/solutions")],
    "exercises": [pytest(*WORKERS, "tests/notebooks")],
    "browser": [pytest(*WORKERS, "-rP", "tests/browser")],
}


def asked(arguments):
    """What `test` is asked for: the lanes, the full counts or not, further arguments for pytest."""
    chosen, long, rest = list(LANES), False, []
    while arguments:
        argument = arguments.pop(0)
        if argument == "--lane" and arguments and arguments[0] in LANES:
            chosen = [arguments.pop(0)]
        elif argument == "--lane":
            raise Stop("--lane wants one of %s" % ", ".join(LANES))
        elif argument == "--long":
            long = True
        else:
            rest.append(argument)
    return chosen, long, rest


def test(chosen, long, rest):
    """Run the lanes, one after the other; one line for each, and the sum."""
    environment = dict(os.environ, PYTHONHASHSEED="0", JUPYTER_PLATFORM_DIRS="1", **({"RTVIRT_LONG": "1"} if long else {}))
    rows, totals = [], {"passed": 0, "failed": 0, "skipped": 0}
    for lane in chosen:
        started, counts, ok = time.monotonic(), {"passed": 0, "failed": 0, "skipped": 0}, True
        say("lane %s" % lane)
        if lane == "browser" and not browser():
            say("browser lane NOT RUN: no Chrome, Chromium or Edge; install one (Debian: `sudo apt install chromium`)")
            counts["failed"], ok = 1, False
        else:
            for command in LANES[lane]:
                done = stream([*command, *(rest if "pytest" in command else [])], lane_environment(lane, environment), counts)
                ok = ok and done == 0
                if "pytest" not in command:
                    counts["passed" if done == 0 else "failed"] += 1
        if not ok and not counts["failed"]:
            counts["failed"] = 1          # a lane that ran nothing, or was broken off, has failed
        for key in totals:
            totals[key] += counts[key]
        rows.append("%-10s %-6s %5.0f s   %d passed, %d failed, %d skipped" % (
            lane, "ok" if ok else "FAILED", time.monotonic() - started, counts["passed"], counts["failed"], counts["skipped"]))
    print("\n" + "\n".join(rows) + "\n")
    print("%d passed, %d failed%s" % (totals["passed"], totals["failed"], ", %d skipped" % totals["skipped"] if totals["skipped"] else ""))
    return 1 if totals["failed"] else 0


def lane_environment(lane, environment):
    """Environment variables of a lane."""
    if lane == "nojit":
        return dict(environment, NUMBA_DISABLE_JIT="1")
    if lane == "browser":
        return dict(environment, RTVIRT_BROWSER=browser())
    return environment


def stream(command, environment, counts):
    """Run a command, pass its output on, and add up pytest's counts from its closing line."""
    process = subprocess.Popen(command, cwd=HERE, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    closing = ""
    for line in process.stdout:
        if re.search(r"\d+ (passed|failed|error)", line) and " in " in line:
            closing = line
            line = "  " + line.strip("= \n") + "\n"
        print(line, end="", flush=True)
    for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", closing):
        counts["failed" if word == "error" else word] += int(number)
    return process.wait()


def browser():
    """Path of an installed Chromium-like browser, or ''."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge"]
    places = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
              r"C:\Program Files\Google\Chrome\Application\chrome.exe", r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"]
    found = [shutil.which(name) for name in names] + [place for place in places if os.path.exists(place)]
    return next((path for path in [os.environ.get("RTVIRT_BROWSER", ""), *found] if path), "")


def open_lab(arguments):
    """JupyterLab on the first notebook."""
    say("opening JupyterLab; stop it with Ctrl-C here")
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []      # in a container everybody is
    return run([str(venv_python()), "-m", "jupyterlab", *root, *arguments, "notebooks/00-start-here.ipynb"]).returncode


def main(arguments):
    """Which command?"""
    command = arguments[0] if arguments and not arguments[0].startswith("-") else "open"
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if command == "test":
        wanted = asked(arguments[1:])          # a slip of the pen should not cost a set-up
        prepare("test")
        return test(*wanted)
    if command == "run":
        if len(arguments) < 2:
            raise Stop("`lab.py run` wants a command of the environment, for example `python3 lab.py run rtvirt doctor`")
        prepare("course")
        tools = str(venv_python().parent)
        environment = dict(os.environ, PATH=tools + os.pathsep + os.environ.get("PATH", ""))
        program = shutil.which(arguments[1], path=environment["PATH"])
        if arguments[1:2] == ["rtvirt"]:
            return run([str(venv_python()), "-m", *arguments[1:]], env=environment).returncode
        if program is None:
            raise Stop("there is no command %s in the environment; try for example `python3 lab.py run rtvirt doctor`" % arguments[1])
        return run([program, *arguments[2:]], env=environment).returncode
    if command == "open":
        prepare("course")
        return open_lab(arguments)
    raise Stop("no such command: %s (see `python3 lab.py --help`)" % command)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        print("rtvirt: " + str(stop), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nrtvirt: stopped; run the same command again to go on from here", file=sys.stderr)
        sys.exit(130)
