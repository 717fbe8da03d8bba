"""Worlds that agents act on in free replay: tools, a state, and what the state should be in the end.

`environment` is the seam, `opened` finds one by its name, `shop` is a small one.
"""
