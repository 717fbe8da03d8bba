"""The terminal: talk, look inside, undo. `dialog.repl.session` runs it."""
