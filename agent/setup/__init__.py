"""Prepares an installation: a filled-in configuration, a certificate, and scripts for the administrators."""
