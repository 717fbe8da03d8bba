"""Abilities of the agent, joined through entry points."""
