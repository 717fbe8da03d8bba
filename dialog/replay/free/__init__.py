"""Free replay: the agent talks with a user made from the transcript, and the end is judged.

`scenario` says what the user wants and knows, `user` speaks by rules, `worded`
has a model word it, `talk` lets both talk, `running` does so for all
conversations. Nothing here is compared turn by turn with what was said.
"""
