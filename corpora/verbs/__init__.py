"""The verbs of `instructrec data`, one a file; heavy imports happen inside them."""
