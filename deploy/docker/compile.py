"""Leave the bytecode of what the service imports beside it, and try whether everything can be imported.

The file system of a container is read-only: what is not compiled here would be at each start. The libraries of training
are left as they are: their bytecode, 80 MB, would save a run a few seconds.
"""

import compileall
import importlib
import pkgutil
import sys

LAZY = ("httptools", "uvloop")  # imported by name, where the server starts
LAZY_IN_TRAINING = ("matplotlib.pyplot", "pyarrow.parquet", "sklearn", "wandb")


def import_all(package: str) -> None:
    """Import every module of a package, but for those that run when they are; raises where one cannot be imported."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith(".__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)


def main(packages: list[str]) -> None:
    """Compile `app` with all that it imports and, where it is there, `training` without."""
    sys.path.insert(0, "")
    import_all("app")
    for name in LAZY:
        importlib.import_module(name)
    if "training" in packages:
        sys.dont_write_bytecode = True
        import_all("training")
        for name in LAZY_IN_TRAINING:
            importlib.import_module(name)
    for package in packages:
        compileall.compile_dir(package, quiet=1)


main(sys.argv[1:])
