"""Agents to replay: the usual configuration, a command that speaks JSON lines, a Python callable.

See `answering` for the seam and `described` for the TOML file that names one.
"""
