"""Build the compiled modules.

`PYRT_BUILD` names the mode: `release` (default, what wheels ship), `checked` (every run-time check
on, what the tests run against), `draft` (checked but not optimized: quickly built, for faults),
`profile` (release with symbols) or `debug` (line tracing for coverage, annotated HTML, C beside its
source; `PYRT_DEBUG=1` says the same).
`PYRT_ONLY=pyrt/core,pyrt/data` limits a build to modules below these paths; `none` compiles none.
`PYRT_JOBS` is the number of modules translated and compiled at once, all cores by default.
`PYRT_CACHE` names a folder where translated modules are kept for other checkouts of this tree.
"""

import os
import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

MODE = "debug" if os.environ.get("PYRT_DEBUG") == "1" else os.environ.get("PYRT_BUILD", "release")
ONLY = tuple(p for p in os.environ.get("PYRT_ONLY", "").split(",") if p)
JOBS = int(os.environ.get("PYRT_JOBS", os.cpu_count() or 1))
LINUX = sys.platform == "linux"
FLAGS = {
    "release": ["-O3", "-g0"],
    "checked": ["-O2", "-g0"],
    "draft": ["-O0", "-g0"],
    "profile": ["-O3", "-g1", "-fno-omit-frame-pointer"],
    "debug": ["-O0", "-g"],
}
if MODE not in FLAGS:
    raise SystemExit(f"PYRT_BUILD is {MODE!r}; expected one of {sorted(FLAGS)}")

# No fused multiply-add and no -march=native: every machine is to give the same bits.
COMMON = ["-ffp-contract=off", "-fno-strict-aliasing", "-Wno-unused-function"]
CHECKED = MODE in ("checked", "draft", "debug")
# A source archive holds no C and metadata need none: translating is for what compiles.
COMMANDS = {"build", "build_ext", "bdist_wheel", "editable_wheel", "install", "develop"}


def extension(path: Path) -> Extension:
    """Describe the module that one source file becomes."""
    macros = [("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")]
    if MODE == "debug":
        macros += [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1")]
    return Extension(
        ".".join(path.with_suffix("").parts),
        [str(path)],
        include_dirs=[numpy.get_include()],
        define_macros=macros,
        extra_compile_args=FLAGS[MODE] + COMMON,
        extra_link_args=["-Wl,-s"] if MODE == "release" and LINUX else [],
    )


def translated(extensions: list[Extension]) -> list[Extension]:
    """Translate what has changed to C."""
    return cythonize(
        extensions,
        build_dir=None if MODE == "debug" else f"build/cython-{MODE}",
        annotate=MODE == "debug",
        # Processes are forked on Linux; elsewhere they would run this file again.
        cache=os.environ.get("PYRT_CACHE") or False,
        nthreads=JOBS if LINUX and len(extensions) > 1 else 0,
        compiler_directives={
            "language_level": 3,
            "boundscheck": True,
            "wraparound": False,
            "nonecheck": True,
            "initializedcheck": CHECKED,
            "overflowcheck": False,
            "embedsignature": False,
            "linetrace": MODE == "debug",
            "binding": True,
        },
    )


def main() -> None:
    """Translate what changed, compile it, hand the rest to setuptools."""
    extensions = [
        extension(path)
        for path in sorted(Path("pyrt").rglob("*.pyx"))
        if not ONLY or str(path).startswith(ONLY)
    ]
    if COMMANDS & set(sys.argv):
        extensions = translated(extensions)
    setup(ext_modules=extensions, options={"build_ext": {"parallel": JOBS}})


if __name__ == "__main__":
    main()
