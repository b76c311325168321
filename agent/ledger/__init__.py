"""The original record: the promise (`base`), the simplest that keeps it (`memory`), the real one (`sql`)."""
