"""The verbs of `instructrec data`, one file each."""
