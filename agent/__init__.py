"""The Need to Know agent: watches a shared inbox, keeps the register true, chases until concluded."""

__version__ = "0.1.0"
