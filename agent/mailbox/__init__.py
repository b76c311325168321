"""One shared mailbox: the promise (`base`), the simplest that keeps it (`memory`), the real one (`outlook`)."""
