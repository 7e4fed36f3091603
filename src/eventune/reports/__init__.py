"""Self-contained pages: no network, no script that is not in them, readable on a phone."""

from eventune.reports.errors import errors_page
from eventune.reports.statistics import statistics_page

__all__ = ["errors_page", "statistics_page"]
