"""The REPL's commands by what they are for; `dialog.repl.commands` gathers them."""
