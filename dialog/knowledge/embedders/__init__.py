"""One embedder a file; `dialog.knowledge.embed.open_embedder` picks."""
