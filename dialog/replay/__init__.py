"""Would another agent have done better on conversations that took place?

Forced replay: every assistant turn of a transcript is answered anew from the
history as it was, so a turn's input never depends on an agent's earlier
output. Answers are saved as they come (`saved`), scored by metrics
(`scoring`), compared with conversations as the unit of chance (`statistics`,
`gates`), and told (`report`).
"""
