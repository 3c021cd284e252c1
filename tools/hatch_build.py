"""Build hook: the wheel carries the SQL, freshly built."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildSql(BuildHookInterface[Any]):
    """Write the SQL into python/symphony_pg before the package is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Run tools/build_sql.py of the tree that is being built."""
        runpy.run_path(str(Path(self.root, "tools", "build_sql.py")))["build"]()
