"""Tools of the formats, where the machine has them. In CI (CI=true) they must be there; elsewhere a test without its tool says so, and is skipped."""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
from pathlib import Path
from typing import Any

import pytest


def missing(what: str, package: str) -> Any:
    """Fail in CI, skip elsewhere."""
    message = f"{what} is not there: install the Debian package {package}"
    return pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


def program(name: str, package: str) -> str:
    """The path of a program."""
    return shutil.which(name) or missing(name, package)


def libvirt_schema() -> str:
    """libvirt's schema of a domain."""
    folders = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    found = [path for folder in [*folders, "/usr/share"] if (path := Path(folder) / "libvirt/schemas/domain.rng").exists()]
    return str(found[0]) if found else missing("libvirt's schema", "libvirt0")


class Xlutil:
    """Xen's own parser of xl's files, libxlutil; it needs no Xen to run."""

    def __init__(self) -> None:
        folders = [*os.environ.get("LD_LIBRARY_PATH", "").split(":"), *glob.glob("/usr/lib/*-linux-gnu"), "/usr/lib64", "/usr/lib"]
        found = [name for folder in folders if folder for name in sorted(glob.glob(f"{folder}/libxlutil.so.4.*"))]
        if not found:
            missing("libxlutil", "libxenmisc4.17")
        self.lib, c = ctypes.CDLL(found[0]), ctypes.CDLL(None)
        c.fopen.restype = ctypes.c_void_p
        self.report = ctypes.c_void_p(c.fopen(b"/dev/null", b"w"))
        self.lib.xlu_cfg_init.restype = ctypes.c_void_p
        self.lib.xlu_cfg_get_listitem.restype = ctypes.c_char_p

    def read(self, text: str, names: list[str]) -> dict[str, Any]:
        """Values as Xen sees them: strings, and lists of strings."""
        config = ctypes.c_void_p(self.lib.xlu_cfg_init(self.report, b"test.cfg"))
        data = text.encode()
        assert self.lib.xlu_cfg_readdata(config, data, len(data)) == 0, "Xen's parser refuses the file"
        found = {name: self.value(config, name.encode()) for name in names}
        self.lib.xlu_cfg_destroy(config)
        return found

    def value(self, config: ctypes.c_void_p, name: bytes) -> Any:
        """One value."""
        string, items, count = ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_int()
        if self.lib.xlu_cfg_get_string(config, name, ctypes.byref(string), 1) == 0:
            return (string.value or b"").decode()
        assert self.lib.xlu_cfg_get_list(config, name, ctypes.byref(items), ctypes.byref(count), 1) == 0, name
        return [(self.lib.xlu_cfg_get_listitem(items, k) or b"").decode() for k in range(count.value)]
