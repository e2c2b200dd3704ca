"""The house: what depends on what, and files that must stay in step."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "rtvirt"
LAYERS = [
    {"errors"}, {"units", "kernels", "lowering", "notice", "datafolder", "files", "checker"},
    {"jit"}, {"rng", "rows"}, {"timers", "traffic"}, {"state"},
    {"schedulers", "guests"}, {"engine", "system"}, {"wiring"}, {"build"}, {"paths"},
    {"results", "invariants", "export", "perfetto", "comparison"}, {"simulation"}, {"data", "workloads"}, {"analysis"}, {"traps", "throughput"},
    {"xentrace", "machine", "silicon", "sweeps", "interop", "platform"},
    {"plots", "exercises"}, {"explorers"}, {"cli"}, {"__main__", "__init__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Top-level name that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Rooms of the package that a file imports."""
    found, depth = set(), len(path.relative_to(PACKAGE).parts) - 1
    tree = ast.parse(path.read_text())
    for_editors = {n for block in ast.walk(tree) if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
                   for n in ast.walk(block)}
    for node in set(ast.walk(tree)) - for_editors:
        if isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("rtvirt."):
            found.add(node.module.split(".")[1])
    return found


def test_every_room_has_a_layer():
    assert {room(path) for path in MODULES} <= set(LEVEL)


def test_imports_go_one_way():
    for path in MODULES:
        here = room(path)
        for other in imports(path) - {here}:
            within = LEVEL[here] == LEVEL[other]
            assert LEVEL[other] < LEVEL[here] or within or here == "__init__", f"{path.name} ({here}) imports {other}"


def test_no_room_imports_in_a_circle():
    graph = {}
    for path in MODULES:
        graph.setdefault(room(path), set()).update(imports(path) - {room(path)})
    graph.pop("__init__")

    def reaches(start, goal, seen):
        return any(n == goal or (n not in seen and reaches(n, goal, seen | {n})) for n in graph.get(start, ()))

    circles = [name for name in graph if reaches(name, name, {name})]
    assert circles == []


def test_files_are_short_and_say_what_they_are():
    for path in MODULES:
        text = path.read_text()
        assert text.count("\n") <= 400, path
        assert ast.get_docstring(ast.parse(text)), path
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", text), path
        if room(path) not in ("cli", "exercises", "__main__"):
            assert not re.search(r"^\s*print\(", text, re.M), path


def test_every_function_is_described():
    for path in MODULES:
        tree = ast.parse(path.read_text())
        nested = {child for parent in ast.walk(tree) if isinstance(parent, ast.FunctionDef) for child in ast.walk(parent)} - \
            {node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node in tree.body}
        for node in set(ast.walk(tree)) - nested:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def names(requirements) -> dict[str, str]:
    """{name: condition} of requirement lines."""
    return {re.split(r"[<>=!~\[ ]", line)[0].lower(): re.sub(r"^[\w.-]+", "", line) for line in requirements}


def test_environment_yml_is_in_step():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = [line for line in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"] if isinstance(line, str)]
    found = names(line.replace("matplotlib-base", "matplotlib") for line in conda if not line.startswith(("python", "pip")))
    assert found == names(line.split("#")[0].strip() for line in project["dependencies"])
    assert f"python{project['requires-python']}" in conda


def test_locks_are_complete_hashed_and_name_no_hosts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in (("requirements.lock", project["dependencies"]),
                         ("requirements-test.lock", project["dependencies"] + project["optional-dependencies"]["test"])):
        text = (ROOT / lock).read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text
        pinned = {match[1].lower() for match in re.finditer(r"^([\w.-]+)==", text, re.M)}
        assert set(names(wanted)) <= pinned
        assert text.count("--hash=") >= len(pinned)


def test_names_are_loaded_late():
    import subprocess
    import sys

    code = "import sys, rtvirt; print([m for m in ('numpy', 'numba', 'pandas', 'matplotlib', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_manifest_describes_the_data():
    import rtvirt as rv

    for name, entry in rv.data.manifest().items():
        assert rv.data.path(name).exists() and entry["provenance"] and entry["units"]


def test_launcher_is_plain_python():
    tree = ast.parse((ROOT / "lab.py").read_text())
    modules = {n.names[0].name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import)}
    modules |= {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    import sys

    assert modules <= set(sys.stdlib_module_names)
