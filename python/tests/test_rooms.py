"""The rooms of the package: imports run downward only, and no modules import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import symphony_pg

PACKAGE = Path(symphony_pg.__file__).parent

# From the top down, as ARCHITECTURE.md tells what lives in each.
ROOMS = (
    "__init__",
    "pytest_plugin",
    "testing",
    "django",
    "cli",
    "http",
    "monitoring",
    "fastapi",
    "worker",
    "app",
    "transports",
    "handling",
    "schedules",
    "sending",
    "events",
    "brokers",
    "database",
    "messages",
    "config",
    "server",
    "version",
    "redaction",
    "outcomes",
    "results",
    "times",
    "waiting",
    "extras",
    "errors",
)


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {_name(path): path for path in PACKAGE.rglob("*.py")}


def _imports(module: str) -> Iterator[str]:
    """Yield the modules of the package that one imports, wherever: also for type hints only."""
    path = MODULES[module]
    package = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            inside = (*base, *(node.module or "").split(".")) if node.module else base
            for alias in node.names:
                whole = ".".join((*inside, alias.name))
                yield whole if whole in MODULES else ".".join(inside) or "__init__"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else node.names
            assert not any("symphony_pg" in str(name) for name in names), f"{path}: {names}"


IMPORTS = {module: {*_imports(module)} - {module} for module in MODULES}


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_module_has_its_room() -> None:
    assert {_room(module) for module in MODULES} == set(ROOMS)


def test_imports_run_downward_only() -> None:
    height = {room: place for place, room in enumerate(ROOMS)}
    upward = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if height[_room(other)] < height[_room(module)]
    ]
    assert upward == []


def test_no_modules_import_each_other() -> None:
    def reached(module: str) -> set[str]:
        found: set[str] = set()
        waiting = [module]
        while waiting:
            for other in IMPORTS[waiting.pop()] - found:
                found.add(other)
                waiting.append(other)
        return found

    assert [module for module in MODULES if module in reached(module)] == []


def test_exceptions_go_by_their_public_names() -> None:
    """The name of an error's class is stored with its message, and must not be that of a file."""
    errors = {
        name: each
        for name in symphony_pg.__all__
        if isinstance(each := getattr(symphony_pg, name), type) and issubclass(each, BaseException)
    }
    assert len(errors) > 20
    assert {f"{each.__module__}.{each.__qualname__}" for each in errors.values()} == {
        f"symphony_pg.{name}" for name in errors
    }
