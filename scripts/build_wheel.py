"""Build sdist and wheel into dist/ and make sure that no file of the package is lacking."""

from __future__ import annotations

from environments import ROOT, build_wheel

if __name__ == "__main__":
    print(build_wheel(ROOT / "dist").relative_to(ROOT))
