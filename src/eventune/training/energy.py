"""Energy that the processor's packages used, where the machine tells (RAPL under Linux)."""

from __future__ import annotations

from pathlib import Path

_RAPL = Path("/sys/class/powercap")


class EnergyCounter:
    """Counts joules between `start` and `stop`; several stretches add up."""

    def __init__(self, rapl: Path = _RAPL) -> None:
        self._domains = sorted(rapl.glob("intel-rapl:*/energy_uj"))
        # Domains inside a package (cores, memory) are parts of it.
        self._domains = [path for path in self._domains if path.parent.name.count(":") == 1]
        self._before: list[float] | None = None
        self.joules: float | None = None

    def start(self) -> None:
        """Begin a stretch."""
        self._before = self._read()

    def stop(self) -> None:
        """End it, and add what it took; nothing where the machine does not tell."""
        after = self._read()
        if self._before is None or after is None:
            return
        # A counter that ran over its end is smaller than before: that stretch is left out.
        used = sum(max(0.0, later - earlier) for later, earlier in zip(after, self._before, strict=True))
        self.joules = (self.joules or 0.0) + used

    def _read(self) -> list[float] | None:
        try:
            joules = [int(path.read_text(encoding="ascii")) / 1e6 for path in self._domains]
        except (OSError, ValueError):
            return None
        return joules or None
