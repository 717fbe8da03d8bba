"""A model behind an OpenAI-compatible server: vLLM, llama.cpp, Ollama, transformers and the like.

`openai:URL#MODEL` becomes an `address`, the server is asked what it is
(`inquiry`), and a `RemoteModel` (`model`) sends each prompt's messages over a
`connection` that can be broken off, reads its events (`wire`), tries again
where that is sensible (`patience`), and says in a sentence what went wrong
(`failures`). Tokens are counted by whoever knows best (`counting`).

    from dialog.engine.remote.open import open_remote
"""
