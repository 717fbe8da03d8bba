"""TRL's SFTTrainer, run by an interpreter that has it: the same steps on the same ids from the same LoRA.

    PY benchmarks/_trl_peer.py FOLDER

FOLDER holds `asked.json` (model folder, rows of ids and labels in order, batch
size, rate), and the LoRA to begin with. Prints one line of JSON: of each step the
processor time, the wall time and the loss. Imports nothing of ours.
"""

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Clock(TrainerCallback):  # type: ignore[misc]  # untyped
    """Between the beginnings and ends of steps; the optimiser's own is within."""

    def __init__(self) -> None:
        self.cpu_s: list[float] = []
        self.wall_s: list[float] = []
        self.losses: list[float] = []
        self._at = (0.0, 0.0)

    def on_step_begin(self, *given: Any, **named: Any) -> None:
        self._at = (time.process_time(), time.perf_counter())

    def on_step_end(self, *given: Any, **named: Any) -> None:
        self.cpu_s.append(time.process_time() - self._at[0])
        self.wall_s.append(time.perf_counter() - self._at[1])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **named: Any) -> None:
        if "loss" in (logs or {}):
            self.losses.append(float(logs["loss"]))


def main() -> None:
    folder = Path(sys.argv[1])
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    torch.set_num_threads(asked["threads"])
    dtype = getattr(torch, asked["dtype"])
    model = AutoModelForCausalLM.from_pretrained(asked["model"], dtype=dtype, local_files_only=True)
    model = PeftModel.from_pretrained(model, str(folder / "lora"), is_trainable=True)
    clock = Clock()
    options = SFTConfig(
        output_dir=str(folder / "trl"),
        per_device_train_batch_size=asked["batch_size"],
        num_train_epochs=1,
        learning_rate=asked["lr"],
        lr_scheduler_type="constant",
        warmup_steps=0,
        weight_decay=asked["weight_decay"],
        adam_beta1=asked["betas"][0],
        adam_beta2=asked["betas"][1],
        max_grad_norm=asked["clip"],
        gradient_checkpointing=False,
        train_sampling_strategy="sequential",
        max_length=None,
        bf16=False,
        use_cpu=True,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=model,
        args=options,
        train_dataset=Dataset.from_list(asked["rows"]),
        processing_class=AutoTokenizer.from_pretrained(asked["model"], local_files_only=True),
        callbacks=[clock],
    )
    trainer.train()
    told = {
        "version": version("trl"),
        "cpu_s": clock.cpu_s,
        "wall_s": clock.wall_s,
        "losses": clock.losses[: len(clock.cpu_s)],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
