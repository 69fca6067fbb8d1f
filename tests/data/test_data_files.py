"""CIFAR-10, .npz files and data of a person's own; small files of the same kinds, made here."""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sparseviz.config import ConfigError, own_code, paths
from sparseviz.config.parts import DataConfig
from sparseviz.data import Data, DataError, MemorySplit, Shard, cifar10, load_data
from sparseviz.data.draws import Draws
from sparseviz.data.split import shifted
from sparseviz.training.batches import Batches
from tests.helpers.data.mirror import Mirror, serving
from tests.helpers.data.splits import images_of

NAMES = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"


def records(number: int, seed: int, highest=9) -> bytes:
    random = np.random.default_rng(seed)
    labels = np.arange(number) % (highest + 1)
    return b"".join(bytes([label]) + random.bytes(3072) for label in labels)


def small_cifar() -> dict[str, bytes]:
    contents = {name: records(12, seed) for seed, name in enumerate(cifar10.TRAIN_FILES)}
    return contents | {cifar10.TEST_FILE: records(7, 9), cifar10.NAMES_FILE: NAMES.encode()}


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def load(folder: Path, **settings) -> Data:
    return load_data(DataConfig.model_validate({"name": "cifar10", "folder": str(folder)} | settings))


def packed(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class TestCifar10:
    @pytest.mark.parametrize("subfolder", ["", "cifar-10-batches-bin"])
    def test_that_the_last_tenth_validates_and_pixels_are_where_the_file_has_them(self, tmp_path, subfolder):
        contents = small_cifar()
        write(tmp_path / subfolder, contents)
        data = load(tmp_path)
        assert [len(split) for split in (data.train, data.validation, data.test)] == [54, 6, 7]
        assert data.classes == tuple(NAMES.split())
        assert data.test.shape == (3, 32, 32)
        raw = np.frombuffer(contents[cifar10.TEST_FILE], np.uint8).reshape(7, 3073)
        scale, shift = (torch.tensor(values)[:, None, None] for values in (data.std, data.mean))
        found = images_of(data.test) * scale + shift
        torch.testing.assert_close(found, torch.from_numpy(raw[:, 1:].reshape(7, 3, 32, 32) / np.float32(255)))
        assert data.test.labels.tolist() == raw[:, 0].tolist()
        assert data.checksum == hashlib.md5(b"".join(contents[name] for name in cifar10.FILES)).hexdigest()

    def test_that_every_channel_of_the_training_split_has_mean_0_and_deviation_1(self, tmp_path):
        images = images_of(load(write(tmp_path, small_cifar())).train).double()
        torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3).double(), atol=1e-5, rtol=0)
        torch.testing.assert_close(images.std((0, 2, 3), correction=0), torch.ones(3).double(), atol=1e-5, rtol=0)

    def test_that_a_tenth_of_the_original_is_5000(self):
        assert 50_000 // cifar10.VALIDATION_SHARE == 5_000

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("data_batch_3.bin", b"", "found 0 bytes"),
            ("data_batch_3.bin", records(2, 0)[:-1], "found 6145 bytes, expected images of 3073 bytes"),
            ("test_batch.bin", b"\x0a" + bytes(3072), "found label 10 (image 0), expected 0 to 9"),
            ("batches.meta.txt", b"", "found 0 names of classes"),
        ],
    )
    def test_that_a_damaged_file_is_refused_by_name(self, tmp_path, name, content, words):
        write(tmp_path, small_cifar() | {name: content})
        with pytest.raises(DataError) as caught:
            load(tmp_path)
        for part in (str(tmp_path / name), words, "data.download=true"):
            assert part in str(caught.value)

    def test_that_missing_files_are_named_with_both_ways_out(self, tmp_path):
        contents = small_cifar()
        del contents["data_batch_2.bin"]
        with pytest.raises(DataError, match=r"lacks data_batch_2\.bin; .*--data-dir.*data\.download=true"):
            load(write(tmp_path, contents))

    @pytest.fixture
    def home(self, monkeypatch):
        monkeypatch.setenv("no_proxy", "*")
        archive = packed(small_cifar())
        with serving() as mirror:
            mirror.files = {cifar10.ARCHIVE: archive}
            monkeypatch.setattr(cifar10, "HOMES", (mirror.address,))
            monkeypatch.setattr(cifar10, "ARCHIVE_MD5", hashlib.md5(archive).hexdigest())
            yield mirror

    def test_that_it_is_fetched_unpacked_and_not_fetched_again(self, tmp_path, home: Mirror, monkeypatch):
        monkeypatch.setattr(paths, "data_folder", lambda: tmp_path)
        told: list[tuple[str, int, int]] = []
        first = load_data(DataConfig(name="cifar10", download=True), lambda *args: told.append(args))
        again = load_data(DataConfig(name="cifar10", download=True))
        assert home.asked == [cifar10.ARCHIVE]
        assert first.checksum == again.checksum
        assert told[-1][1] == told[-1][2] == len(home.files[cifar10.ARCHIVE])
        assert sorted(path.name for path in (tmp_path / "cifar10").iterdir()) == [cifar10.SUBFOLDER]

    def test_that_an_archive_with_another_sum_is_refused_and_nothing_is_left(self, tmp_path, home: Mirror):
        home.files[cifar10.ARCHIVE] += b"?"
        with pytest.raises(DataError, match=r"MD5 .* expected"):
            load(tmp_path, download=True)
        assert list(tmp_path.iterdir()) == []

    def test_that_an_archive_without_a_file_is_told(self, tmp_path, home: Mirror, monkeypatch):
        archive = packed({"readme.html": b"none"})
        home.files[cifar10.ARCHIVE] = archive
        monkeypatch.setattr(cifar10, "ARCHIVE_MD5", hashlib.md5(archive).hexdigest())
        with pytest.raises(DataError, match=r"cannot be unpacked: .*data_batch_1"):
            load(tmp_path, download=True)


class TestShifts:
    def test_that_they_are_those_of_a_slow_twin(self):
        images, draws = torch.arange(5 * 2 * 6 * 7).reshape(5, 2, 6, 7).float(), Draws(3, 8, range(5))
        found = shifted(images, draws)
        for image, (down, across, mirror), ours in zip(images, draws.uniforms(3), found, strict=True):
            expected = torch.zeros(2, 6, 7)
            for row in range(6):
                for column in range(7):
                    source_row = row + int(down * 9) - 4
                    source_column = (column if mirror < 0.5 else 6 - column) + int(across * 9) - 4
                    if 0 <= source_row < 6 and 0 <= source_column < 7:
                        expected[:, row, column] = image[:, source_row, source_column]
            assert torch.equal(ours, expected)

    def test_that_only_training_images_are_shifted_and_shards_shift_them_alike(self, tmp_path):
        folder = write(tmp_path, small_cifar())
        plain, moved = load(folder), load(folder, augment=True)
        assert torch.equal(images_of(plain.train), images_of(moved.train))
        whole, still = Batches(moved.train, 16, 5), Batches(plain.train, 16, 5)
        halves = [Batches(moved.train, 16, 5, Shard(rank, 2)) for rank in range(2)]
        for step in range(6):
            images, labels = whole.at(step)
            assert torch.equal(labels, still.at(step)[1])
            assert not torch.equal(images, still.at(step)[0])
            for rank, half in enumerate(halves):
                assert torch.equal(half.at(step)[0], images[rank::2])
        (evaluated, _), *_ = moved.validation.in_order()
        assert torch.equal(evaluated, images_of(plain.validation))


def arrays(**changes) -> dict[str, Any]:
    random = np.random.default_rng(4)
    found: dict[str, Any] = {
        "train_images": random.integers(0, 256, (40, 6, 5, 3), dtype=np.uint8),
        "train_labels": np.arange(40) % 4,
        "test_images": random.integers(0, 256, (8, 6, 5, 3), dtype=np.uint8),
        "test_labels": np.arange(8) % 4,
    } | changes
    return {name: values for name, values in found.items() if values is not None}


def archive(folder: Path, **changes) -> DataConfig:
    np.savez(folder / "set.npz", **arrays(**changes))
    return DataConfig(name="npz", folder=str(folder / "set.npz"))


class TestNpz:
    def test_that_bytes_are_read_with_their_channels_last(self, tmp_path):
        data = load_data(archive(tmp_path, classes=np.array(["a", "b", "c", "d"])))
        assert [len(split) for split in (data.train, data.validation, data.test)] == [36, 4, 8]
        assert (data.name, data.classes, data.test.shape) == ("npz", ("a", "b", "c", "d"), (3, 6, 5))
        scale, shift = (torch.tensor(values)[:, None, None] for values in (data.std, data.mean))
        expected = torch.from_numpy(arrays()["test_images"]).permute(0, 3, 1, 2) / 255
        torch.testing.assert_close(images_of(data.test) * scale + shift, expected)

    def test_that_gray_bytes_and_floats_with_channels_first_are_read_too(self, tmp_path):
        random = np.random.default_rng(2)
        gray = {name: random.integers(0, 9, (n, 6, 5), dtype=np.uint8) for name, n in (("train", 40), ("test", 8))}
        floats = {name: random.normal(size=(n, 2, 6, 5)) for name, n in (("train", 40), ("test", 8))}
        for found, channels in ((gray, 1), (floats, 2)):
            data = load_data(archive(tmp_path, **{f"{name}_images": values for name, values in found.items()}))
            assert data.test.shape == (channels, 6, 5)
            assert images_of(data.train).dtype == torch.float32
            assert images_of(data.train).mean().item() == pytest.approx(0, abs=1e-5)

    def test_that_given_validation_images_are_taken_and_classes_are_numbered(self, tmp_path):
        held = {"validation_images": arrays()["test_images"][:5], "validation_labels": np.arange(5) % 4}
        data = load_data(archive(tmp_path, **held))
        assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 5, 8]
        assert data.classes == ("0", "1", "2", "3")

    def test_that_the_checksum_follows_every_array(self, tmp_path):
        first = load_data(archive(tmp_path)).checksum
        assert load_data(archive(tmp_path)).checksum == first
        assert load_data(archive(tmp_path, test_labels=np.arange(8) % 3)).checksum != first

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"test_images": None, "test_labels": None}, "lacks test_images; it needs train_images, train_labels"),
            ({"train_labels": None}, "lacks train_labels"),
            ({"train_images": np.zeros((40, 6), np.uint8)}, r"train_images is uint8 \(40, 6\), expected"),
            ({"train_images": np.zeros((40, 6, 5), np.int32)}, r"train_images is int32 \(40, 6, 5\), expected"),
            ({"test_images": np.zeros((8, 7, 5, 3), np.uint8)}, r"test_images are of \(3, 7, 5\) each"),
            ({"train_labels": np.arange(39)}, r"train_labels is int64 \(39,\), expected whole numbers \(40,\)"),
            ({"train_labels": np.zeros(40)}, r"train_labels is float64 \(40,\)"),
            ({"train_labels": np.arange(40) - 1}, "train_labels holds -1; classes are counted from 0"),
            ({"classes": np.array(["a"])}, "classes has 1 names, but labels go up to 3"),
            ({"train_images": np.full((40, 6, 5), np.nan)}, "train_images holds numbers that are not finite"),
            (
                {"train_images": np.zeros((5, 6, 5, 3), np.uint8), "train_labels": np.arange(5)},
                "too few validation images",
            ),
        ],
    )
    def test_that_a_wrong_array_is_named_with_file_and_shape(self, tmp_path, changes, words):
        config = archive(tmp_path, **changes)
        with pytest.raises(DataError, match=words) as caught:
            load_data(config)
        assert str(tmp_path / "set.npz") in str(caught.value)

    @pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut", b"no archive", b"\x93NUMPY\x01\x00"])
    def test_that_a_file_that_is_none_is_named(self, tmp_path, content):
        path = tmp_path / "set.npz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=r"set\.npz cannot be read"):
            load_data(DataConfig(name="npz", folder=str(path)))

    def test_that_a_pickled_object_in_it_is_not_run(self, tmp_path):
        np.savez(tmp_path / "set.npz", **arrays(), extra=np.array([{}], dtype=object))
        with pytest.raises(DataError, match="cannot be read"):
            load_data(DataConfig(name="npz", folder=str(tmp_path / "set.npz")))

    def test_that_without_a_file_it_is_asked_for(self):
        with pytest.raises(DataError, match=r"--data-dir FILE\.npz"):
            load_data(DataConfig(name="npz"))


OWN = """
import numpy as np
from sparseviz.data import MemorySplit, Data

def arrays(config):
    images = np.zeros((40, 6, 5), np.uint8)
    images[:, 0] = np.arange(40)[:, None]
    return {"train_images": images, "train_labels": np.arange(40) % 2, "test_images": images[:9],
            "test_labels": np.arange(9) % 2, "classes": ("even", "odd " + str(config.folder))}

def whole(config):
    import torch
    split = MemorySplit(torch.zeros(5, 3, 4, 4), torch.arange(5))
    return Data("mine", split, split, split, tuple("abcde"), (0.0,) * 3, (1.0,) * 3, "sum")

def fails(config):
    return {}["there is no such key"]

def strange(config):
    return 3
"""


class TestOwn:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(OWN)
        own_code.trust(own_code.find(f"{path}:arrays"), remember=False)
        return path

    def test_that_a_dict_of_arrays_is_taken_with_the_settings_at_hand(self, file):
        data = load_data(DataConfig(name=f"{file}:arrays", folder="here"))
        assert [len(split) for split in (data.train, data.validation, data.test)] == [36, 4, 9]
        assert data.classes == ("even", "odd here")

    def test_that_data_are_taken_as_they_are(self, file):
        data = load_data(DataConfig(name=f"{file}:whole"))
        assert (data.name, data.checksum, data.classes) == ("mine", "sum", tuple("abcde"))
        assert isinstance(data.test, MemorySplit)

    @pytest.mark.parametrize(
        ("function", "words"),
        [
            ("fails", ["there is no such key", 'line 17, in fails\n    return {}["there is no such key"]']),
            ("strange", ["gave int", "return a sparseviz.data.Data, or a dict of train_images"]),
            ("missing", ["has no function 'missing'"]),
        ],
    )
    def test_that_what_is_wrong_is_told_with_the_setting_and_the_person_s_traceback(self, file, function, words):
        with pytest.raises(DataError) as caught:
            load_data(DataConfig(name=f"{file}:{function}"))
        for part in ("data.name", *words):
            assert part in str(caught.value)

    def test_that_code_that_nobody_allowed_is_not_run(self, tmp_path):
        (tmp_path / "theirs.py").write_text("raise SystemExit('it was run')")
        with pytest.raises(own_code.Untrusted, match=r"theirs\.py was not run"):
            load_data(DataConfig(name=f"{tmp_path / 'theirs.py'}:arrays"))

    def test_that_an_unknown_name_is_told_with_all_ways(self):
        with pytest.raises(ConfigError, match=r"'cats'; allowed: digits, .*package\.module:function or file\.py"):
            load_data(DataConfig(name="cats"))
