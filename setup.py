"""Build the compiled modules.

`PYRT_BUILD` names the mode: `release` (default, what wheels ship), `checked` (every run-time check
on, what the tests run against) or `debug` (line tracing for coverage, annotated HTML).
`PYRT_ONLY=pyrt/core,pyrt/data` limits a rebuild to modules below these paths.
"""

import os
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

MODE = os.environ.get("PYRT_BUILD", "release")
ONLY = tuple(p for p in os.environ.get("PYRT_ONLY", "").split(",") if p)
FLAGS = {
    "release": ["-O3", "-g0"],
    "checked": ["-O2", "-g0"],
    "debug": ["-O0", "-g"],
}
if MODE not in FLAGS:
    raise SystemExit(f"PYRT_BUILD is {MODE!r}; expected one of {sorted(FLAGS)}")

COMMON = ["-ffp-contract=off", "-fno-strict-aliasing", "-Wno-unused-function"]
CHECKED = MODE != "release"


def extension(path: Path) -> Extension:
    macros = [("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")]
    if MODE == "debug":
        macros.append(("CYTHON_TRACE_NOGIL", "1"))
    return Extension(
        ".".join(path.with_suffix("").parts),
        [str(path)],
        include_dirs=[numpy.get_include()],
        define_macros=macros,
        extra_compile_args=FLAGS[MODE] + COMMON,
        extra_link_args=["-Wl,-s"] if MODE == "release" and os.uname().sysname == "Linux" else [],
    )


sources = [p for p in sorted(Path("pyrt").rglob("*.pyx")) if not ONLY or str(p).startswith(ONLY)]
setup(
    ext_modules=cythonize(
        [extension(p) for p in sources],
        build_dir=f"build/cython-{MODE}",
        annotate=MODE == "debug",
        nthreads=0,
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
    ),
    options={"build_ext": {"parallel": int(os.environ.get("PYRT_JOBS", os.cpu_count() or 1))}},
)
