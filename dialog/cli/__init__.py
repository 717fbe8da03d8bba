"""The command line: `dialog.cli.main` and one small file a verb."""
