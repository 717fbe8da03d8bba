"""A rival engine, run by an interpreter that has it: reads requests, answers with what they cost.

    PY benchmarks/_peer.py llama.cpp MODEL.gguf THREADS      # or: openvino
    {"ids": [1, 87, 85], "num_tokens": 8}                    # a line in; a line out:
    {"wall": 0.41, "cpu": 0.78, "peak_bytes": 312000000}

Imports nothing of ours, so that it runs where only the rival is installed.
Whether it is there is asked by the first line out: {"version": "..."}.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

CONTEXT = 4096


def main() -> None:
    name, model, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = {"llama.cpp": llama_cpp, "openvino": openvino}[name](model, threads)
    package = {"llama.cpp": "llama-cpp-python", "openvino": "openvino-genai"}[name]
    tell(version=version(package))
    for line in sys.stdin:
        asked = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        run(asked["ids"], asked["num_tokens"])
        tell(
            wall=time.perf_counter() - wall,
            cpu=time.process_time() - cpu,
            peak_bytes=peak_bytes(),
        )


def llama_cpp(model: str, threads: int) -> Callable[[list[int], int], None]:
    """llama.cpp through llama-cpp-python, greedy, from an empty cache."""
    import llama_cpp as package

    llama: Any = package.Llama(
        model, n_ctx=CONTEXT, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
    )

    def run(ids: list[int], num_tokens: int) -> None:
        llama.reset()
        llama.eval(ids)
        for _ in range(num_tokens - 1):
            llama.eval([llama.sample(temp=0.0)])

    return run


def openvino(model: str, threads: int) -> Callable[[list[int], int], None]:
    """OpenVINO GenAI, which reads the GGUF itself; greedy, each prompt read anew."""
    import numpy as np
    import openvino as ov
    import openvino_genai as genai

    scheduling = genai.SchedulerConfig()
    scheduling.enable_prefix_caching = False  # the rounds' prompt is the same each time
    pipe: Any = genai.LLMPipeline(model, "CPU", scheduler_config=scheduling, INFERENCE_NUM_THREADS=threads)

    def run(ids: list[int], num_tokens: int) -> None:
        config = genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample = num_tokens, True, False
        prompt = np.array([ids], dtype=np.int64)
        inputs = genai.TokenizedInputs(ov.Tensor(prompt), ov.Tensor(np.ones_like(prompt)))
        reply = pipe.generate(inputs, config).tokens[0]
        assert len(reply) == num_tokens

    return run


def peak_bytes() -> int:
    """The most memory this process ever held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def tell(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
