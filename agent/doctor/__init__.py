"""Looks at everything the agent depends on and says, for each, whether it is well and what to do if not."""
