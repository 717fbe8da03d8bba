"""The outcome of a replay as files: a page, Markdown, JUnit, JSON. See `write`."""
