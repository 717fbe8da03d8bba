"""The language model in this process: found by name, loaded, and made to speak.

A name becomes a folder of safetensors (`sources` over `shelf`, `wheels`, `hub`,
`convert`, `catalogue`), a folder a model with its chat template (`load`,
`tokenizer`), a prompt a stream of text (`local` over `generate`, `forward`,
`sampling`, `detokenize`). Conversations keep what the model has read (`cache`)
and take turns at it (`turns`). Importing this package is light.

    from dialog.engine.load import open_model
"""
