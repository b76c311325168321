"""Signing in to Microsoft 365 and one careful way to call Graph."""
