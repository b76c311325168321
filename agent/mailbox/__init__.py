"""One shared mailbox: the promise (`base`), the simplest to keep it (`memory`), the real one (`outlook`)."""
