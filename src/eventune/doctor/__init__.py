"""What this machine can do, which combinations on it are known to fail, and the fixes of known error messages."""
