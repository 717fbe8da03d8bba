"""Our own forward pass for the Llama, Qwen and Gemma families: fewer operations, packed weights.

A `config.json` becomes an `Architecture` (`architecture`, `rope`), the files'
tensors the few fused ones it needs (`weights`), those packed to 8 or 4 bits
where wished (`linear`, `pack`, kept by `prepare`), and all of it a
`LeanForward` over `KeyValues` (`forward`, `layer`, `kv`). What is not known
to be computed right is refused with `Unsupported`, and transformers serves it.

    from dialog.engine.lean.forward import LeanForward
"""
