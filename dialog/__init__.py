"""Multi-turn dialogue agents that answer from your documents."""
