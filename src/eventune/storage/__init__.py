"""Files that are written completely or not at all, and JSON that is checked when it is read."""
