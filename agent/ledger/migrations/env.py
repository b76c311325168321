"""Alembic's way in: the ledger hands over its connection, inside a transaction that it ends itself."""

from alembic import context

from agent.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
