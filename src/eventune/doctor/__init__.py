"""What this machine can do, which combinations on it are known to fail, and the cures of known error messages."""
